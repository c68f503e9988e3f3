"""Wake-ups from other processes: LISTEN, with looking from time to time as the safety net.

A notification only says "look". It is lost while a connection is down and never comes through a
pooler that hands connections out by transaction, so a poll finds what was missed.
"""

from __future__ import annotations

import contextlib
import random
import selectors
import socket
import threading
import time
from typing import Any

import psycopg
from psycopg import sql

from workflow.errors import WorldError
from workflow.worlds.changes import Changes
from workflow.worlds.postgres.store import Database
from workflow.worlds.rules.quiet import Quiet

__all__ = ["Listener"]

# Seconds between looks: while notifications come, and while they cannot.
_SLOW_POLL, _FAST_POLL = 2.0, 0.25


class Listener:
    """A thread that wakes everybody when somebody else has committed. `name` is who we are."""

    def __init__(self, database: Database, changes: Changes, quiet: Quiet, name: str) -> None:
        self._database = database
        self._changes = changes
        self._quiet = quiet
        self._name = name
        self._closing = threading.Event()
        self._bell, self._rung = socket.socketpair()  # ends a wait when the world is closed
        self._thread = threading.Thread(target=self._work, name="workflow-listen", daemon=True)
        self._thread.start()

    def _look(self) -> None:
        self._quiet.end()
        self._changes.bump()

    def close(self) -> None:
        """End the thread. Blocks for a moment."""
        self._closing.set()
        self._bell.send(b"x")
        self._thread.join()
        self._bell.close()
        self._rung.close()

    def _work(self) -> None:
        while not self._closing.is_set():
            if not self._database.pooled:
                with contextlib.suppress(WorldError, psycopg.Error):
                    self._listen()
            self._look()  # what came while nobody listened
            self._closing.wait(_FAST_POLL)

    def _listen(self) -> None:
        with contextlib.closing(self._database.connect()) as connection:
            connection.execute(sql.SQL("listen {}").format(sql.Identifier(self._database.channel)))
            self._look()
            while not self._closing.is_set():
                # Spread, so that many processes do not look in the same instant.
                until = time.monotonic() + _SLOW_POLL * random.uniform(0.75, 1.25)
                while not self._heard(connection, until) and time.monotonic() < until:
                    if self._closing.is_set():
                        return
                self._look()

    def _heard(self, connection: psycopg.Connection[Any], until: float) -> bool:
        """Wait for a call until a time; whether it came from somebody else.

        Raises when the connection is lost.
        """
        with selectors.DefaultSelector() as waiting:
            waiting.register(connection.fileno(), selectors.EVENT_READ)
            waiting.register(self._rung, selectors.EVENT_READ)
            waiting.select(max(0.0, until - time.monotonic()))
        calls = list(connection.notifies(timeout=0))
        return any(call.payload != self._name for call in calls)

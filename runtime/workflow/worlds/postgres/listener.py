"""Wake-ups from other processes: LISTEN, with looking from time to time as the safety net.

A notification only says "look". It is lost while a connection is down and never comes through a
pooler that hands connections out by transaction, so a poll finds what was missed.
"""

from __future__ import annotations

import contextlib
import random
import threading
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

# A waiting LISTEN is looked at this often to see whether the world is being closed.
_PATIENCE = 0.2


class Listener:
    """A thread that wakes everybody when somebody else has committed. `name` is who we are."""

    def __init__(self, database: Database, changes: Changes, quiet: Quiet, name: str) -> None:
        self._database = database
        self._changes = changes
        self._quiet = quiet
        self._name = name
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="workflow-listen", daemon=True)
        self._thread.start()

    def _look(self) -> None:
        self._quiet.end()
        self._changes.bump()

    def close(self) -> None:
        """End the thread. Blocks for a moment."""
        self._closing.set()
        self._thread.join()

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
            quiet, patience = 0.0, _SLOW_POLL
            while not self._closing.is_set():
                if self._heard(connection):
                    self._look()
                    quiet = 0.0
                    continue
                quiet += _PATIENCE
                if quiet >= patience:
                    self._look()
                    # Spread, so that many processes do not look in the same instant.
                    quiet, patience = 0.0, _SLOW_POLL * random.uniform(0.75, 1.25)

    def _heard(self, connection: psycopg.Connection[Any]) -> bool:
        """Whether somebody else called within the patience. Raises when the connection is lost."""
        called = False
        for notification in connection.notifies(timeout=_PATIENCE, stop_after=1):
            called = called or notification.payload != self._name
        return called

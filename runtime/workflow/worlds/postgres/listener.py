"""Wake-ups between processes: LISTEN and NOTIFY, with looking from time to time as the safety net.

A notification only says "look". It is lost while a connection is down and never comes through a
pooler that hands connections out by transaction, so a poll finds what was missed. One thread and
one connection hear and tell, so that the appending connection waits for neither.
"""

from __future__ import annotations

import contextlib
import math
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

# Seconds between notifications at least, for every one is a transaction: of work to do or results
# to read, and of steps that a run goes on with by itself.
_SOON, _LATER = 0.005, 0.1


class Listener:
    """A thread that wakes everybody here when somebody else has committed, and tells the others.

    `name` is who we are.
    """

    def __init__(self, database: Database, changes: Changes, quiet: Quiet, name: str) -> None:
        self._database = database
        self._changes = changes
        self._quiet = quiet
        self._name = name
        self._closing = False
        self._pause: float | None = None  # None when there is nothing to tell
        self._told = 0.0
        self._bell, self._rung = socket.socketpair()  # ends the thread's wait
        self._rung.setblocking(False)
        self._thread = threading.Thread(target=self._work, name="workflow-listen", daemon=True)
        self._thread.start()

    def tell(self, *, soon: bool) -> None:
        """Tell the other processes to look. Returns at once.

        Without `soon` they can wait a little. Callable from any thread.
        """
        pause = self._pause
        if pause is None or (soon and pause > _SOON):
            self._pause = _SOON if soon else _LATER
            self._bell.send(b"x")
        # Else the thread has not come to it yet, and will tell of this as well.

    def close(self) -> None:
        """Tell what is left to be told and end the thread. Blocks for a moment."""
        self._closing = True
        self._bell.send(b"x")
        self._thread.join()
        self._bell.close()
        self._rung.close()

    def _look(self) -> None:
        self._quiet.end()
        self._changes.bump()

    def _work(self) -> None:
        while not self._closing:
            with contextlib.suppress(WorldError, psycopg.Error, OSError):
                self._stay()
            self._look()  # what came while nobody listened
            try:
                self._wait(None, time.monotonic() + _FAST_POLL)
            except OSError:  # this process has no file left to wait with
                time.sleep(_FAST_POLL)

    def _stay(self) -> None:
        """Hear and tell until the world is closed. Raises when the connection is lost."""
        pooled = self._database.pooled
        with contextlib.closing(self._database.connect()) as connection:
            if not pooled:
                name = sql.Identifier(self._database.channel)
                connection.execute(sql.SQL("listen {}").format(name))
                # A notification lost in a crash costs a poll; waiting for the disk costs more.
                connection.execute("set synchronous_commit = off")
            self._look()
            look = _next_look(pooled)
            while True:
                self._wait(connection, min(look, self._next_tell))
                now = time.monotonic()
                if self._next_tell <= now or (self._closing and self._pause is not None):
                    self._told, self._pause = now, None  # first: what comes now is told anew
                    connection.execute(
                        "select pg_notify(%s, %s)", (self._database.channel, self._name)
                    )
                if self._closing:
                    return
                calls = list(connection.notifies(timeout=0))
                if now >= look or any(call.payload != self._name for call in calls):
                    self._look()
                    look = _next_look(pooled)

    @property
    def _next_tell(self) -> float:
        pause = self._pause
        return math.inf if pause is None else self._told + pause

    def _wait(self, connection: psycopg.Connection[Any] | None, until: float) -> None:
        """Wait until a time, or until somebody calls or rings."""
        with selectors.DefaultSelector() as waiting:
            if connection is not None:
                waiting.register(connection.fileno(), selectors.EVENT_READ)
            waiting.register(self._rung, selectors.EVENT_READ)
            waiting.select(max(0.0, until - time.monotonic()))
        with contextlib.suppress(BlockingIOError):
            self._rung.recv(64)


def _next_look(pooled: bool) -> float:
    """When to look without having been told. Spread, so that not many processes do at once."""
    return time.monotonic() + (_FAST_POLL if pooled else _SLOW_POLL) * random.uniform(0.75, 1.25)

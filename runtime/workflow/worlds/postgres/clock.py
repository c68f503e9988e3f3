"""The database's clock, read without asking it each time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg

from workflow.world.records import Micros

__all__ = ["ServerClock"]

# A correction back by more than this many microseconds is somebody setting the server's clock, and
# is followed. Less is the network, and time stands still until it is made up for.
_SET_BACK = 1_000_000


class ServerClock:
    """Microseconds since the epoch by the server's clock, which all hosts share.

    Between two looks at the server it goes on by this machine's monotonic clock. It is late by a
    round trip at most and never ahead, so no timer fires early.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offset = time.time_ns() - time.monotonic_ns()
        self._last: Micros = 0
        self.known = False  # whether the server was ever asked

    def now(self) -> Micros:
        with self._lock:
            self._last = max(self._last, (time.monotonic_ns() + self._offset) // 1000)
            return self._last

    def on_change(self, callback: Callable[[], None]) -> None:
        """Real time is not moved by hand, so `callback` is never called."""

    def set_by(self, connection: psycopg.Connection[Any]) -> None:
        """Look at the server's clock."""
        row = connection.execute(
            "select (extract(epoch from clock_timestamp()) * 1000000)::bigint"
        ).fetchone()
        assert row is not None
        self.set(row[0], time.monotonic_ns())

    def set(self, server: Micros, at: int) -> None:
        """The server's clock said `server` when ours stood at `at` (monotonic, ns), or earlier."""
        with self._lock:
            self._offset = server * 1000 - at
            here = (time.monotonic_ns() + self._offset) // 1000
            if not self.known or here < self._last - _SET_BACK:
                self._last = 0
            self.known = True

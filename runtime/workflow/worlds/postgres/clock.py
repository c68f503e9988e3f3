"""The database's clock, read without asking it each time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg

from workflow.world.records import Micros

__all__ = ["ServerClock"]


class ServerClock:
    """Microseconds since the epoch by the server's clock, which all hosts share.

    Between two looks at the server it goes on by this machine's monotonic clock. It never goes
    back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offset = time.time_ns() - time.monotonic_ns()
        self._last: Micros = 0

    def now(self) -> Micros:
        with self._lock:
            self._last = max(self._last, (time.monotonic_ns() + self._offset) // 1000)
            return self._last

    def on_change(self, callback: Callable[[], None]) -> None:
        """Real time is not moved by hand, so `callback` is never called."""

    def set_by(self, connection: psycopg.Connection[Any]) -> None:
        """Look at the server's clock. Wrong by half the round trip at most."""
        before = time.monotonic_ns()
        row = connection.execute(
            "select (extract(epoch from clock_timestamp()) * 1000000)::bigint"
        ).fetchone()
        after = time.monotonic_ns()
        assert row is not None
        with self._lock:
            self._offset = row[0] * 1000 - (before + after) // 2

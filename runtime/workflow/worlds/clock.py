"""The clock of a world that runs in real time."""

from __future__ import annotations

import time
from collections.abc import Callable

from workflow.world.records import Micros

__all__ = ["SystemClock"]


class SystemClock:
    """Wall-clock time in microseconds since the epoch."""

    def now(self) -> Micros:
        return time.time_ns() // 1000

    def on_change(self, callback: Callable[[], None]) -> None:
        """Real time is not moved by hand, so `callback` is never called."""

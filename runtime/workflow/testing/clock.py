"""A clock that tests move by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from workflow.world.records import Micros

__all__ = ["VirtualClock"]


class VirtualClock:
    """Time that stands still until `advance` is called.

    `start` is in microseconds since the epoch; the default is 2025-01-01T00:00:00Z.
    """

    def __init__(self, start: Micros = 1_735_689_600_000_000) -> None:
        self._now = start
        self._callbacks: list[Callable[[], None]] = []

    def now(self) -> Micros:
        return self._now

    def advance(self, by: float | timedelta) -> None:
        """Move on by `by` (seconds or a timedelta) and tell everybody who asked."""
        seconds = by.total_seconds() if isinstance(by, timedelta) else by
        if seconds < 0:
            raise ValueError(f"a clock cannot go back, got {seconds} s")
        self._now += round(seconds * 1_000_000)
        for callback in tuple(self._callbacks):
            callback()

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call `callback()` after every `advance`."""
        self._callbacks.append(callback)

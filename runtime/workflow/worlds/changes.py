"""A counter of commits that any number of event loops can wait on.

A waiter compares its number and registers under one lock, and a commit changes the number and takes
the waiters under the same lock, so no change falls between a look and a wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

from workflow.world.port import Clock
from workflow.world.records import Micros

__all__ = ["Answers", "Changes"]

Answers: TypeAlias = Mapping[asyncio.AbstractEventLoop, list[Callable[[], None]]]

# Timeouts run on the monotonic clock; looking at the world's clock this often bounds what a
# suspended machine or a corrected clock can make us oversleep.
_LONGEST_WAIT = 60.0


class Changes:
    """Number of the last change, starting at 1, and everybody who waits for the next one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._number = 1
        self._worked = 1  # the number of the last change that gave work
        self._waiters: dict[asyncio.Future[None], asyncio.AbstractEventLoop] = {}
        self._workers: dict[asyncio.Future[None], asyncio.AbstractEventLoop] = {}
        clock.on_change(self._wake)

    def bump(self, answers: Answers | None = None, *, gives_work: bool = True) -> None:
        """Record a change and wake every waiter. Callable from any thread.

        One that `gives_work` to nobody leaves those alone who wait for work. `answers` are calls to
        be made in event loops at the same time: waking one is a system call.
        """
        with self._lock:
            self._number += 1
            if gives_work:
                self._worked = self._number
        self._wake(answers, workers=gives_work)

    async def wait(self, seen: int, until: Micros | None, *, work: bool = False) -> int:
        """Return the number once it is not `seen`, or as it is when the clock reaches `until`.

        With `work`, not before there was a change after `seen` that gave work.
        """
        loop = asyncio.get_running_loop()
        waiters = self._workers if work else self._waiters
        while True:
            woken: asyncio.Future[None] = loop.create_future()
            with self._lock:
                now = self._clock.now()
                changed = self._worked > seen if work else self._number != seen
                if changed or (until is not None and until <= now):
                    return self._number
                waiters[woken] = loop
            delay = _LONGEST_WAIT if until is None else min((until - now) / 1e6, _LONGEST_WAIT)
            timer = loop.call_later(delay, _resolve, woken)
            try:
                await woken
            finally:
                timer.cancel()
                with self._lock:
                    waiters.pop(woken, None)

    def _wake(self, answers: Answers | None = None, *, workers: bool = True) -> None:
        with self._lock:
            waiters = dict(self._waiters)
            self._waiters.clear()
            if workers:
                waiters.update(self._workers)
                self._workers.clear()
        calls = {loop: list(made) for loop, made in (answers or {}).items()}
        for woken, loop in waiters.items():
            calls.setdefault(loop, []).append(partial(_resolve, woken))
        self.call(calls)

    def call(self, answers: Answers) -> None:
        """Make calls in event loops, without a change. Callable from any thread."""
        for loop, calls in answers.items():
            # The loop of a waiter may be closed already: worlds outlive event loops.
            with contextlib.suppress(RuntimeError):
                if loop is asyncio._get_running_loop():
                    loop.call_soon(_call, calls)  # it needs not be woken
                else:
                    loop.call_soon_threadsafe(_call, calls)


def _call(calls: list[Callable[[], None]]) -> None:
    for call in calls:
        call()


def _resolve(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)

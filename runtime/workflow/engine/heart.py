"""A worker's sign of life, given by a thread.

A step that computes without awaiting blocks the event loop, and must not cost the worker its lease.
A loop that has not moved for minutes is stuck for good, though: then the beating stops, and others
take the work over.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable

from workflow.errors import WorldError
from workflow.world.port import World
from workflow.world.records import WorkerRecord

__all__ = ["Heart"]

log = logging.getLogger("workflow.engine")

STUCK = 300.0  # seconds without a tick after which the event loop counts as lost


class Heart:
    """Renews a lease every `every` seconds with the record that `record` makes."""

    def __init__(self, world: World, record: Callable[[], WorkerRecord], every: float) -> None:
        self._world = world
        self._record = record
        self._every = every
        self._ticked = time.monotonic()
        self._stop: Callable[[], None] | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._work, name="workflow-lease", daemon=True)

    def start(self) -> None:
        """Begin to beat; the first beat comes after `every` seconds."""
        self._thread.start()
        self._ready.wait()

    def tick(self) -> None:
        """The worker's event loop moves."""
        self._ticked = time.monotonic()

    @property
    def alive(self) -> bool:
        """Whether the thread still beats."""
        return self._thread.is_alive()

    async def stop(self) -> None:
        """End the thread, after the beat that is under way."""
        if self._stop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended already
                self._stop()
            await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        asyncio.run(self._beat())

    async def _beat(self) -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()

        def stop() -> None:
            loop.call_soon_threadsafe(stopped.set)

        self._stop = stop
        self._ready.set()
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), self._every)
                return
            if time.monotonic() - self._ticked > STUCK:
                log.error("the event loop has been blocked for %.0f s; giving the lease up", STUCK)
                return
            try:
                await self._world.beat(self._record())
            except Exception as error:
                expected = isinstance(error, WorldError)
                log.warning("cannot renew the lease: %s", error, exc_info=not expected)

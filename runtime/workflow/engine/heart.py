"""A worker's sign of life, given by a thread.

A step that computes without awaiting blocks the event loop, and must not cost the worker its lease.
A loop that has not moved for minutes counts as stuck, though: then the beating stops, and others
take the work over. If it moves again after all, or the process was stopped and goes on, the worker
shows that it lives before it takes any work: what is claimed without a lease is taken away at once,
and has used an attempt.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable, Mapping

from workflow.errors import WorldError
from workflow.waiting import is_set_within
from workflow.world.port import World
from workflow.world.records import WorkerRecord

__all__ = ["Heart", "lease_of"]

log = logging.getLogger("workflow.engine")

LEASE = 15.0  # seconds a worker may be silent before others take its work over, if not set
BEAT = 0.5  # seconds between signs of life at most: how late others notice that a lease ran out
STUCK = 300.0  # seconds without a tick after which the event loop counts as lost
_SAY_AGAIN = 30.0  # seconds between reports of one trouble


def lease_of(environ: Mapping[str, str]) -> float:
    """WORKFLOW_LEASE in seconds. Raises ValueError."""
    text = environ.get("WORKFLOW_LEASE") or str(LEASE)
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.2 <= seconds <= 3600:
        raise ValueError(f"WORKFLOW_LEASE is {text!r}; give seconds, from 0.2 to 3600")
    return seconds


class Heart:
    """Renews a lease of `lease` seconds with the record that `record` makes.

    The worker's loop has to call `tick` every `pause` seconds.
    """

    def __init__(self, world: World, record: Callable[[], WorkerRecord], lease: float) -> None:
        self._world = world
        self._record = record
        self._lease = lease
        self._every = min(BEAT, lease / 3)
        self.pause = min(lease / 3, STUCK / 10)
        self._ticked = self._beaten = time.monotonic()
        self._stop: Callable[[], None] | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._work, name="workflow-lease", daemon=True)

    def start(self) -> None:
        """Begin to beat; the first beat comes after a moment."""
        self._thread.start()
        self._ready.wait()

    def tick(self) -> None:
        """The worker's event loop moves."""
        self._ticked = time.monotonic()

    async def keep(self) -> None:
        """Beat now if there was no beat for so long that the lease may have run out.

        To be called before work is claimed. Raises what the world raises.
        """
        self.tick()
        if time.monotonic() - self._beaten > self._lease / 2:
            await self._beat()

    async def stop(self) -> None:
        """End the thread, after the beat that is under way."""
        if self._stop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended already
                self._stop()
            await asyncio.to_thread(self._thread.join)

    async def _beat(self) -> None:
        begun = time.monotonic()
        await self._world.beat(self._record())
        self._beaten = begun

    def _work(self) -> None:
        asyncio.run(self._go_on())

    async def _go_on(self) -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()

        def stop() -> None:
            loop.call_soon_threadsafe(stopped.set)

        self._stop = stop
        self._ready.set()
        stuck, told = False, -math.inf
        while True:
            if await is_set_within(stopped, self._every):
                return
            was, stuck = stuck, time.monotonic() - self._ticked > STUCK
            if stuck:
                if not was:
                    log.error("the event loop does not move for %.0f s; the lease runs out", STUCK)
                continue
            try:
                await self._beat()
                told = -math.inf
            except Exception as error:
                if time.monotonic() - told > _SAY_AGAIN:
                    told = time.monotonic()
                    expected = isinstance(error, WorldError)
                    log.warning("cannot renew the lease: %s", error, exc_info=not expected)

"""A worker's lease is renewed while its event loop is blocked, and not for ever."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from workflow.engine import heart
from workflow.engine.heart import Heart
from workflow.testing.clock import VirtualClock
from workflow.world.records import NewRun, WorkerRecord
from workflow.worlds.memory import MemoryWorld

LEASE = 10_000_000


@pytest.mark.fault("F23")
def test_a_blocked_loop_keeps_its_lease() -> None:
    """While the event loop computes, the lease moves on with the clock, and nobody takes over."""

    async def main() -> None:
        clock = VirtualClock()
        world = MemoryWorld(clock)
        await world.open()
        await world.beat(WorkerRecord(worker="ann", lease_until=clock.now() + LEASE))
        await world.create(NewRun(run_id="r", workflow="f", input=b"", meta=b""))
        await world.claim_runs("ann", 1)
        beats, enough = [0], threading.Event()

        def record() -> WorkerRecord:
            beats[0] += 1
            if beats[0] > 3:
                enough.set()  # the beats before this one are in the world
            return WorkerRecord(worker="ann", lease_until=clock.now() + LEASE)

        beating = Heart(world, record, 0.001)
        clock.advance(9)
        beating.start()
        assert enough.wait(30)  # blocks this event loop
        clock.advance(9)
        assert await world.beat(WorkerRecord(worker="bob", lease_until=clock.now() + LEASE)) == 0
        await beating.stop()
        clock.advance(11)
        assert await world.beat(WorkerRecord(worker="bob", lease_until=clock.now() + LEASE)) == 1

    asyncio.run(main())


@pytest.mark.fault("F23")
def test_a_stuck_loop_loses_its_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a tick for too long the thread ends, so that others can take over."""
    monkeypatch.setattr(heart, "STUCK", -1.0)

    async def main() -> None:
        world = MemoryWorld()
        await world.open()
        beating = Heart(world, lambda: pytest.fail("it beat"), 0.001)
        beating.start()
        until = time.monotonic() + 30
        while beating.alive:
            assert time.monotonic() < until
        await beating.stop()

    asyncio.run(main())

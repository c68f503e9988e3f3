"""A worker's lease is renewed while its event loop is blocked, and not for ever."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.project import build
from workflow.api import start
from workflow.engine import Application, heart
from workflow.engine.heart import Heart
from workflow.testing.clock import VirtualClock
from workflow.world.records import Claimed, NewRun, WorkerRecord
from workflow.worlds.memory import MemoryWorld

LEASE = 10_000_000
START = 1_700_000_000_000_000


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

        beating = Heart(world, record, 0.003)
        clock.advance(9)
        beating.start()
        assert enough.wait(60)  # blocks this event loop
        clock.advance(9)
        assert await world.beat(WorkerRecord(worker="bob", lease_until=clock.now() + LEASE)) == 0
        await beating.stop()
        freed = 0
        for _ in range(2):
            clock.advance(5.5)
            until = clock.now() + LEASE
            freed += await world.beat(WorkerRecord(worker="bob", lease_until=until))
        assert freed == 1

    asyncio.run(main())


@pytest.mark.fault("F23")
def test_a_stuck_loop_loses_its_lease(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a tick for too long the thread stops beating, so that others can take over."""
    monkeypatch.setattr(heart, "STUCK", -1.0)

    async def main() -> None:
        world = MemoryWorld()
        await world.open()
        beating = Heart(world, lambda: pytest.fail("it beat"), 0.003)
        beating.start()
        until = time.monotonic() + 60
        while "does not move" not in caplog.text:
            assert time.monotonic() < until
        await beating.stop()

    asyncio.run(main())


FLOWS = """
    async def double(n: int) -> int:
        "use step"
        return n * 2

    async def twice(n: int) -> int:
        "use workflow"
        return await double(n)
"""


class Watchful(MemoryWorld):
    """Counts signs of life, and notes claims of workers without a lease that got something."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.beats = 0
        self.unleased: list[str] = []

    async def beat(self, worker: WorkerRecord) -> int:
        self.beats += 1
        return await super().beat(worker)

    async def claim_runs(self, worker: str, limit: int) -> Claimed:
        leased = {each.worker for each in await self.list_workers()}
        claimed = await super().claim_runs(worker, limit)
        if claimed.runs and worker not in leased:
            self.unleased += [run.run_id for run in claimed.runs]
        return claimed


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not reached():  # noqa: ASYNC110  # another thread gets there
            await asyncio.sleep(0.01)


def test_a_long_lease_is_renewed_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker whose lease is longer than a stuck loop is given does not count as stuck."""
    monkeypatch.setattr(heart, "STUCK", 0.7)
    monkeypatch.setenv("WORKFLOW_LEASE", "3600")
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        world = Watchful(VirtualClock(START))
        async with Application(world, project):
            await until(lambda: world.beats > 4)  # two seconds

    asyncio.run(main())


@pytest.mark.fault("F6", "F23")
def test_a_worker_that_was_silent_shows_that_it_lives_before_it_claims(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F6, F23: after a stop, or when a stuck loop moves again. Else the next beat of anybody would
    take away what it claims, which has used an attempt each time."""
    monkeypatch.setattr(heart, "STUCK", -1.0)
    monkeypatch.setenv("WORKFLOW_LEASE", "0.2")
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        clock = VirtualClock(START)
        world = Watchful(clock)
        async with Application(world, project):
            clock.advance(20)
            await world.beat(WorkerRecord(worker="bob", lease_until=clock.now() + LEASE))
            assert [each.worker for each in await world.list_workers()] == ["bob"]
            silent = time.monotonic()
            await until(lambda: time.monotonic() - silent > 0.3)
            run = await start("twice", 21)
            assert await run.result(60) == 42
            assert world.unleased == []
            monkeypatch.setattr(heart, "STUCK", 300.0)
            beats = world.beats
            await until(lambda: world.beats > beats + 3)  # the thread goes on as well

    asyncio.run(main())

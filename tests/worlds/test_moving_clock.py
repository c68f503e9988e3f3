"""What falls due while somebody looks for work is found by this look or by the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import postgres
from workflow.world.port import World
from workflow.world.records import Append, Micros, NewRun, NewTask, WorkerRecord
from workflow.worlds import memory
from workflow.worlds.local import create_local_world

START = 1_700_000_000_000_000


class Moving:
    """A clock that goes on by `pace` with every look at it."""

    def __init__(self) -> None:
        self.time: Micros = START
        self.pace = 0

    def now(self) -> Micros:
        self.time += self.pace
        return self.time

    def on_change(self, callback: Callable[[], None]) -> None:
        """Nobody waits here."""


@pytest.fixture(params=["memory", "local", "postgres"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Moving], World]:
    """A world on a clock."""

    def made(clock: Moving) -> World:
        match request.param:
            case "memory":
                return memory.create(clock)
            case "local":
                return create_local_world(tmp_path / "data", clock)
            case _:
                return postgres.new_world(clock)

    return made


@pytest.mark.parametrize("after", range(1, 9))
def test_runs_that_fall_due_during_a_look(make: Callable[[Moving], World], after: int) -> None:
    """Nothing happens between two looks of a worker, but that the time of a timer has come."""

    async def main() -> list[str]:
        clock = Moving()
        world = make(clock)
        await world.open()
        try:
            await world.beat(WorkerRecord(worker="ann", lease_until=START + 10**9))
            await world.create(
                NewRun(run_id="r", workflow="f", input=b"", meta=b"{}", start_at=START + after)
            )
            clock.pace = 1
            first = await world.claim_runs("ann", 5)
            clock.pace, clock.time = 0, START + 100
            second = await world.claim_runs("ann", 5)
            return [run.run_id for claimed in (first, second) for run in claimed.runs]
        finally:
            await world.close()

    assert asyncio.run(main()) == ["r"]


@pytest.mark.parametrize("after", range(1, 9))
def test_tasks_that_fall_due_during_a_look(make: Callable[[Moving], World], after: int) -> None:
    """The same with a task whose next attempt is due."""

    async def main() -> list[str]:
        clock = Moving()
        world = make(clock)
        await world.open()
        try:
            await world.beat(WorkerRecord(worker="ann", lease_until=START + 10**9))
            await world.create(NewRun(run_id="r", workflow="f", input=b"", meta=b"{}"))
            (run,) = (await world.claim_runs("ann", 5)).runs
            task = NewTask(step_id="s", name="step", payload=b"", run_at=START + after)
            done = await world.append(
                Append(
                    run_id="r", worker="ann", fence=run.fence, expected=run.head, at=START,
                    seen=run.mail, add_tasks=(task,), release=True,
                )
            )  # fmt: skip
            assert done.ok
            clock.pace = 1
            first = await world.claim_tasks("ann", 5, ["step"])
            clock.pace, clock.time = 0, START + 100
            second = await world.claim_tasks("ann", 5, ["step"])
            return [task.step_id for task in (*first, *second)]
        finally:
            await world.close()

    assert asyncio.run(main()) == ["s"]


def test_a_clock_that_is_set_back_under_a_suspect(make: Callable[[Moving], World]) -> None:
    """A worker that has claimed a task that died twice is given no others for some seconds, and not
    for the hour that its clock is set back by."""

    async def main() -> list[list[str]]:
        clock = Moving()
        world = make(clock)
        await world.open()
        try:
            await world.beat(WorkerRecord(worker="ann", lease_until=START + 10**12))
            given = []
            for name, attempt in (("died", 2), ("new", 0)):
                await world.create(NewRun(run_id=name, workflow="f", input=b"", meta=b"{}"))
                (run,) = (await world.claim_runs("ann", 5)).runs
                task = NewTask(step_id=name, name="step", payload=b"", attempt=attempt)
                done = await world.append(
                    Append(
                        run_id=name, worker="ann", fence=run.fence, expected=run.head, at=START,
                        seen=run.mail, add_tasks=(task,), release=True,
                    )
                )  # fmt: skip
                assert done.ok
                for _ in range(2):
                    claimed = await world.claim_tasks("ann", 5, ["step"])
                    given.append([task.step_id for task in claimed])
                clock.time -= 3600 * 1_000_000
            return given
        finally:
            await world.close()

    assert asyncio.run(main()) == [["died"], [], ["new"], []]

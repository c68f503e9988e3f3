"""Runs and steps that were with workers that died: claimed alone, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

import pytest

from tests.project import build, ended
from workflow.api import start
from workflow.engine import Application, Project
from workflow.errors import WorldError
from workflow.runs import Run
from workflow.testing import VirtualClock
from workflow.world.records import Append, Appended, Claimed, Loaded, Task, WorkerRecord
from workflow.worlds.memory import MemoryWorld

START = 1_700_000_000_000_000

FLOWS = """
    import asyncio

    async def add(n: int) -> int:
        "use step"
        return n + 1

    async def count(n: int) -> int:
        "use workflow"
        return await add(n)

    async def many(n: int) -> int:
        "use workflow"
        return sum(await asyncio.gather(*[add(0) for _ in range(n)]))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return build(tmp_path_factory.mktemp("project"), FLOWS)


class Noting(MemoryWorld):
    """Notes claims and appends in their order."""

    def __init__(self) -> None:
        self.clock = VirtualClock(START)
        super().__init__(self.clock)
        self.said: list[str] = []
        self.noting = False

    async def claim_runs(self, worker: str, limit: int) -> Claimed:
        claimed = await super().claim_runs(worker, limit)
        if claimed.runs and self.noting:
            self.said.append(f"claim {len(claimed.runs)}")
        return claimed

    async def claim_tasks(
        self, worker: str, limit: int, names: Collection[str]
    ) -> tuple[Task, ...]:
        tasks = await super().claim_tasks(worker, limit, names)
        if tasks and self.noting:
            self.said.append(f"tasks {len(tasks)}")
        return tasks

    async def append(self, append: Append) -> Appended:
        if self.noting and append.expected == 1:
            self.said.append("turn")
        return await super().append(append)


async def suspects(world: Noting, count: int) -> list[str]:
    """The ids of runs that were with two workers that died; they are due."""
    runs = [(await start("count", n)).run_id for n in range(count)]
    for _ in range(2):
        assert len((await world.claim_runs("dead", 99)).runs) == count
        await world.beat(WorkerRecord(worker="other", lease_until=START))
        world.clock.advance(1)
    world.noting = True
    return runs


def test_a_worker_takes_turns_of_suspects_one_by_one(project: Project) -> None:
    """The next one is claimed when the one before has recorded something."""

    async def main() -> None:
        world = Noting()
        async with Application(world, project, worker=False) as application:
            runs = await suspects(world, 3)
            async with Application(world, project):
                for run_id in runs:
                    assert (await ended(application, run_id)).status == "completed"
        assert world.said == ["claim 1", "turn"] * 3

    asyncio.run(main())


def test_a_delivery_does_all_suspects_that_are_due(project: Project) -> None:
    """A host that delivers work asks once, whichever runs come before its own; one by one here too,
    also when two deliveries come at once."""

    async def main() -> None:
        world = Noting()
        async with Application(world, project, worker=False) as application:
            runs = await suspects(world, 4)
            ran = await asyncio.gather(*[application.run_once(run_id) for run_id in runs[:2]])
            assert any(ran)
            for run_id in runs:
                run = await world.get_run(run_id)
                assert run is not None
                assert run.status == "completed"
        assert world.said == ["claim 1", "turn"] * 4

    asyncio.run(main())


class Torn(Noting):
    """What concerns one run fails, as long as it is `refused`."""

    refused = ""
    how = ""

    async def load(self, run_id: str, **more: Any) -> Loaded:
        if run_id == self.refused and self.how == "load":
            raise WorldError("the keys of this run are away")
        return await super().load(run_id, **more)

    async def append(self, append: Append) -> Appended:
        if append.run_id == self.refused and self.how == "append":
            raise WorldError("somebody keeps the row of this run locked")
        return await super().append(append)


@pytest.mark.parametrize("how", ["load", "append"])
def test_a_suspect_whose_turn_cannot_be_taken_holds_up_nobody(project: Project, how: str) -> None:
    """Its key is away or its row is locked: all else goes on, and it ends when that is over."""

    async def main() -> None:
        world = Torn()
        async with Application(world, project, worker=False) as application:
            runs = await suspects(world, 3)
            first = min(runs, key=lambda run_id: world._state.rows[run_id].mailed_at)
            world.refused, world.how = first, how
            async with Application(world, project):
                for run_id in runs:
                    if run_id != first:
                        assert (await ended(application, run_id)).status == "completed"
                world.refused = ""
                assert (await ended(application, first)).status == "completed"

    asyncio.run(main())


class Slow(Noting):
    """An append that is not answered, until it is cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def append(self, append: Append) -> Appended:
        if self.noting:
            self.asked.set()
            await asyncio.Event().wait()
        return await super().append(append)


def test_a_worker_stops_while_it_waits_for_a_suspect(project: Project) -> None:
    """It claims nothing after it, and does not wait for its turn beyond the usual grace."""

    async def main() -> None:
        world = Slow()
        async with Application(world, project, worker=False):
            runs = await suspects(world, 2)
            worker = Application(world, project, grace=0.01)
            async with asyncio.timeout(60):
                await worker.start()
                await world.asked.wait()
                await worker.stop()
            assert world.said == ["claim 1"]
            await world.open()
            left = [await world.get_run(run_id) for run_id in runs]
            assert all(run is not None and run.owner is None for run in left)

    asyncio.run(main())


class Unanswered(Noting):
    """The first claim of a suspect is made, and its answer lost."""

    async def claim_runs(self, worker: str, limit: int) -> Claimed:
        first = self.noting and not self.said
        claimed = await super().claim_runs(worker, limit)
        if first and claimed.runs:
            raise WorldError("the connection broke")
        return claimed


def test_a_suspect_whose_claim_was_lost_is_taken_alone_as_well(project: Project) -> None:
    """The worker finds it among its own runs, and takes no other one before its turn."""

    async def main() -> None:
        world = Unanswered()
        async with Application(world, project, worker=False) as application:
            runs = await suspects(world, 3)
            async with Application(world, project):
                for run_id in runs:
                    assert (await ended(application, run_id)).status == "completed"
        # The second claim shows the run of the first one as well.
        assert world.said == ["claim 1", "claim 1", "turn", "turn", "claim 1", "turn"]

    asyncio.run(main())


def test_a_worker_without_room_does_not_look_without_end(project: Project) -> None:
    """A claim of nothing does not say that there is more, though a suspect is due."""

    async def main() -> None:
        world = Noting()
        async with Application(world, project, worker=False):
            await suspects(world, 1)
            claimed = await world.claim_runs("ann", 0)
            assert (claimed.runs, claimed.more) == ((), False)

    asyncio.run(main())


async def suspect_steps(world: Noting, application: Application) -> Run[int]:
    """A run that waits for four steps that were with two workers that died; they are due."""
    run = await start("many", 12)
    await application.run_once(run.run_id)
    tasks = await world.list_tasks(run.run_id)
    for _ in range(2):
        claimed = await world.claim_tasks("dead", 99, {task.name for task in tasks})
        assert len(claimed) == len(tasks) == 4
        await world.beat(WorkerRecord(worker="other", lease_until=START))
        world.clock.advance(1)
    world.noting = True
    return run


def test_a_worker_takes_suspect_steps_one_by_one(project: Project) -> None:
    """The next one begins when the one before is over."""

    async def main() -> None:
        world = Noting()
        async with Application(world, project, worker=False) as application:
            run = await suspect_steps(world, application)
            async with Application(world, project):
                assert await run.result(60) == 12
        assert [said for said in world.said if "tasks" in said] == ["tasks 1"] * 4

    asyncio.run(main())


def test_a_delivery_does_all_suspect_steps_that_are_due(project: Project) -> None:
    """Whichever steps come before the one that is delivered, one by one."""

    async def main() -> None:
        world = Noting()
        async with Application(world, project, worker=False) as application:
            run = await suspect_steps(world, application)
            last = max(await world.list_tasks(run.run_id), key=lambda task: task.run_at)
            assert await application.task_once(run.run_id, last.step_id)
            assert await world.list_tasks(run.run_id) == ()
        assert [said for said in world.said if "tasks" in said] == ["tasks 1"] * 4

    asyncio.run(main())

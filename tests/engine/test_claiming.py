"""What a worker claims: no more than it can begin, and nothing that is claimed gets lost."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.project import build, ended, loaded
from workflow.api import start
from workflow.engine import Application, session
from workflow.errors import WorkflowRunFailedError, WorldError
from workflow.testing import VirtualClock
from workflow.world.records import Claimed, Created, NewRun, Task
from workflow.worlds.memory import MemoryWorld

START = 1_700_000_000_000_000

FLOWS = """
    import asyncio

    gate = None
    begun = []

    async def held(n: int) -> int:
        "use step"
        begun.append(n)
        await gate.wait()
        return n

    async def many(count: int) -> int:
        "use workflow"
        return sum(await asyncio.gather(*[held(n) for n in range(count)]))
"""


async def begin(flows: Any, count: int, begun: int) -> str:
    """The id of a run with so many steps at once, of which so many have begun."""
    run = await start(flows.many, count)
    async with asyncio.timeout(60):
        while len(flows.begun) < begun:  # noqa: ASYNC110  # in memory: a matter of turns
            await asyncio.sleep(0)
    for _ in range(50):
        await asyncio.sleep(0)
    assert len(flows.begun) == begun
    return run.run_id


def test_tasks_that_a_stop_cuts_off_are_free_and_not_counted(tmp_path: Path) -> None:
    """Whether the owner of the run had kept a step or claimed it as a task: nobody has tried it."""
    project = build(tmp_path, FLOWS)
    flows = loaded(tmp_path)
    count = session.INLINE + 3

    async def main() -> None:
        flows.gate = asyncio.Event()
        world = MemoryWorld(VirtualClock(START))
        async with Application(world, project, grace=0.05):
            run_id = await begin(flows, count, count)
            assert [task.attempt for task in await world.list_tasks(run_id)] == [1] * 3
        await world.open()
        tasks = await world.list_tasks(run_id)
        assert [(task.attempt, task.owner) for task in tasks] == [(0, None)] * count
        flows.gate.set()
        async with Application(world, project) as application:
            assert (await ended(application, run_id)).status == "completed"

    asyncio.run(main())


def test_no_task_is_claimed_that_has_to_wait_for_a_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others may have it meanwhile: this worker runs two bodies at a time, and keeps to that."""
    monkeypatch.setenv("WORKFLOW_WORKER_CONCURRENCY", "2")
    project = build(tmp_path, FLOWS)
    flows = loaded(tmp_path)

    async def main() -> None:
        flows.gate = asyncio.Event()
        world = MemoryWorld(VirtualClock(START))
        async with Application(world, project) as application:
            run_id = await begin(flows, session.INLINE + 3, 2)
            tasks = await world.list_tasks(run_id)
            assert [(task.attempt, task.owner) for task in tasks] == [(0, None)] * 3
            flows.gate.set()
            assert (await ended(application, run_id)).status == "completed"

    asyncio.run(main())


class Slow(MemoryWorld):
    """The answer to a claim of tasks comes when the worker is being stopped."""

    def __init__(self) -> None:
        super().__init__(VirtualClock(START))
        self.claimed = asyncio.Event()
        self.answering = asyncio.Event()

    async def claim_tasks(
        self, worker: str, limit: int, names: Collection[str]
    ) -> tuple[Task, ...]:
        tasks = await super().claim_tasks(worker, limit, names)
        if tasks:
            self.claimed.set()
            await self.answering.wait()
        return tasks


@pytest.mark.fault("F38")
def test_tasks_that_are_claimed_while_the_worker_stops_are_not_counted(tmp_path: Path) -> None:
    """Their bodies have not begun. Counted, a step without retries would have had its only one."""
    project = build(tmp_path, FLOWS)
    flows = loaded(tmp_path)
    count = session.INLINE + 3

    async def main() -> None:
        flows.gate = asyncio.Event()
        world = Slow()
        application = Application(world, project, grace=0.05)
        await application.start()
        run = await start(flows.many, count)
        async with asyncio.timeout(60):
            await world.claimed.wait()
        asyncio.get_running_loop().call_soon(world.answering.set)
        await application.stop()
        assert len(flows.begun) == session.INLINE
        await world.open()
        tasks = await world.list_tasks(run.run_id)
        assert [(task.attempt, task.owner) for task in tasks] == [(0, None)] * count

    asyncio.run(main())


class Faulty(MemoryWorld):
    """The first claim of a run breaks, before or after the commit; or tasks have a broken meta."""

    def __init__(self, fault: str) -> None:
        super().__init__(VirtualClock(START))
        self.fault = fault
        self.created = False

    async def create(self, run: NewRun) -> Created:
        self.created = True
        return await super().create(run)

    async def claim_runs(self, worker: str, limit: int) -> Claimed:
        if self.created and self.fault in ("before", "after"):
            fault, self.fault = self.fault, ""
            if fault == "after":
                assert (await super().claim_runs(worker, limit)).runs
            raise WorldError("the connection broke")
        return await super().claim_runs(worker, limit)

    async def claim_tasks(
        self, worker: str, limit: int, names: Collection[str]
    ) -> tuple[Task, ...]:
        tasks = await super().claim_tasks(worker, limit, names)
        broken = self.fault == "meta"
        return tuple(replace(task, meta=b"{") for task in tasks) if broken else tasks


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_claim_that_broke_is_made_again(tmp_path: Path, when: str) -> None:
    """Also when nothing else happens in the world. If the run is this worker's by now, which has
    not heard of it, the next look tells."""
    project = build(tmp_path, FLOWS)
    flows = loaded(tmp_path)

    async def main() -> None:
        flows.gate = asyncio.Event()
        flows.gate.set()
        world = Faulty(when)
        async with Application(world, project):
            assert await (await start(flows.many, 2)).result(60) == 1
            assert world.fault == ""

    asyncio.run(main())


def test_a_task_that_makes_the_worker_stumble_is_a_failed_step(tmp_path: Path) -> None:
    """An error of ours around the attempt is recorded; the task does not stay claimed for ever."""
    project = build(tmp_path, FLOWS)
    flows = loaded(tmp_path)

    async def main() -> None:
        flows.gate = asyncio.Event()
        flows.gate.set()
        async with Application(Faulty("meta"), project):
            run = await start(flows.many, session.INLINE + 1)
            with pytest.raises(WorkflowRunFailedError, match="DecodeError"):
                await run.result(60)

    asyncio.run(main())

"""What a worker remembers of tasks that nobody can do, and when it holds that against a run."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.engine.test_missing_steps import CODE, WITHOUT, begun, builds, has_task, later
from tests.project import build, module_of
from workflow.api import resume_hook
from workflow.engine import Application
from workflow.engine.stranded import Stranded
from workflow.engine.worker import Worker
from workflow.errors import StepNotRegisteredError
from workflow.testing import VirtualClock
from workflow.world.records import Letter, NewRun, Parked, Task, WorkerRecord
from workflow.worlds import memory
from workflow.worlds.memory import MemoryWorld

SECOND = 1_000_000
START = 1_700_000_000 * SECOND


class Scene:
    """A worker that works on nothing, and a task of a run that does not fit its step."""

    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock(START)
        self.world = MemoryWorld(self.clock)
        self.worker = Worker(self.world, build(folder, CODE))
        self.stranded: Stranded = self.worker.stranded
        self.step = f"step//{module_of(folder)}.py//ship"
        self.task = Task(step_id="step_1", name=self.step, payload=b"", run_id="run")

    async def open(self) -> None:
        await self.world.open()
        await self.world.create(NewRun(run_id="run", workflow="w", input=b"", meta=b"{}"))

    async def mail(self) -> int:
        run = await self.world.get_run("run")
        assert run is not None
        return run.mail

    async def refused(self) -> str:
        """What a claimed run would be parked for; empty when it goes on."""
        try:
            await self.stranded.refuse("run")
        except StepNotRegisteredError as error:
            return str(error)
        return ""


def test_a_task_that_does_not_fit_is_left_to_others_first(tmp_path: Path) -> None:
    """It is offered again after five seconds, and for half a second only others claim it."""

    async def main() -> None:
        scene = Scene(tmp_path)
        await scene.open()
        assert scene.stranded.own_turn() is None
        assert scene.step in scene.stranded.names()
        again = await scene.stranded.misfit(scene.task, "does not fit")
        assert again == START + 5 * SECOND
        assert scene.stranded.own_turn() == again + SECOND // 2
        scene.clock.advance(5)
        assert scene.step not in scene.stranded.names()
        scene.clock.advance(0.5)
        assert scene.step in scene.stranded.names()
        assert scene.stranded.own_turn() is None

    asyncio.run(main())


def test_a_misfit_counts_from_the_first_time_and_is_held_against_the_run_once(
    tmp_path: Path,
) -> None:
    """After a minute of misfits the run is made due and refused; when it is resumed, the minute
    begins anew."""

    async def main() -> None:
        scene = Scene(tmp_path)
        await scene.open()
        mail = await scene.mail()
        for second in range(0, 60, 5):
            await scene.stranded.misfit(scene.task, f"does not fit in second {second}")
            scene.clock.advance(4)
            await scene.stranded.look()
            assert await scene.refused() == ""
            assert await scene.mail() == mail
            scene.clock.advance(1)
        await scene.stranded.look()
        assert await scene.mail() == mail + 1
        assert (await scene.refused()).startswith("does not fit in second 55. Deploy a build")
        assert await scene.refused() == ""
        await scene.stranded.misfit(scene.task, "still not")
        scene.clock.advance(59)
        assert await scene.refused() == ""
        scene.clock.advance(1)
        assert (await scene.refused()).startswith("still not. ")

    asyncio.run(main())


def test_a_misfit_that_is_not_seen_again_is_forgotten(tmp_path: Path) -> None:
    """Another worker has done the step meanwhile: it says nothing about the run any more."""

    async def main() -> None:
        scene = Scene(tmp_path)
        await scene.open()
        mail = await scene.mail()
        await scene.stranded.misfit(scene.task, "does not fit")
        scene.clock.advance(60)
        await scene.stranded.look()
        assert await scene.refused() == ""
        assert await scene.mail() == mail

    asyncio.run(main())


def test_the_task_of_a_parked_run_is_tried_less_often(tmp_path: Path) -> None:
    """Once a minute: the run has been told of already."""

    async def main() -> None:
        scene = Scene(tmp_path)
        await scene.open()
        await scene.world.beat(WorkerRecord(worker="w", lease_until=START + 60 * SECOND))
        (claimed,) = (await scene.world.claim_runs("w", 1)).runs
        await scene.world.park("run", "w", claimed.fence, Parked(code="test", reason="by hand"))
        assert await scene.stranded.misfit(scene.task, "does not fit") == START + 60 * SECOND
        assert scene.step in scene.stranded.names()
        scene.clock.advance(60)
        assert await scene.refused() == ""

    asyncio.run(main())


@pytest.mark.parametrize("other", ["has it", "does not say"])
def test_a_step_that_another_worker_has_by_now_is_not_missing(tmp_path: Path, other: str) -> None:
    """Before a run is parked it is looked at once more who lives, and what they have; a worker that
    does not say what it has may have everything."""
    old, new = builds(tmp_path, CODE, WITHOUT)

    async def main() -> None:
        clock = VirtualClock()
        world = memory.create(clock)
        run_id = await begun(world, old)
        async with Application(world, new) as application:
            await resume_hook("t", None)
            await has_task(world, new, run_id)
            mail = (await world.load(run_id)).run.mail
            await later(application, clock)
            assert (await world.load(run_id)).run.mail == mail, "it is too early to tell the run"
            clock.advance(61)
            until = world.now() + 60 * SECOND
            if other == "has it":
                beside = Worker(world, old)
                await beside.publish()
                await beside._beat()
            else:
                await world.beat(WorkerRecord(worker="x", lease_until=until, registry="untold"))
            await world.post(run_id, Letter(kind="nudge"))
            for _ in range(200):
                await asyncio.sleep(0)
            assert application._worker is not None
            await application._worker.stranded.look()
            for _ in range(200):
                await asyncio.sleep(0)
            run = await world.get_run(run_id)
            assert run is not None
            assert run.parked is None
            assert run.seen == run.mail, "it was claimed and looked at"

    asyncio.run(main())

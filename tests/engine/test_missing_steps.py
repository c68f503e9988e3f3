"""Steps that the present code does not have, or has with other parameters: parked, never lost."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.engine.test_versions import parked, waiting
from tests.project import Events, build, ended, module_of, until
from workflow.api import resume_hook, start
from workflow.engine import Application, Project
from workflow.engine.stranded import patience
from workflow.engine.worker import Worker
from workflow.testing import VirtualClock
from workflow.world.port import World
from workflow.world.records import Letter, Parked, RunRecord
from workflow.worlds import memory
from workflow.worlds.local import create_local_world as local_world

CODE = """
    from dataclasses import dataclass
    from workflow import create_hook

    async def ship(cents: int) -> str:
        "use step"
        return f"shipped for {cents}"

    async def order(token: str) -> str:
        "use workflow"
        await create_hook(token=token)
        return await ship(7)
"""
WITHOUT = CODE.replace("ship(", "send(")
OTHER_PARAMETERS = CODE.replace("ship(cents: int)", "ship(cents: int, to: str)").replace(
    "ship(7)", "ship(7, 'ann')"
)


def builds(folder: Path, *sources: str) -> list[Project]:
    """One build for each source, of a module of the same name."""
    name = module_of(folder)
    found = []
    for index, source in enumerate(sources):
        place = folder / str(index)
        place.mkdir()
        found.append(build(place, source, name=name))
        del sys.modules[name]  # the next build is loaded as by a process of its own
        sys.path.remove(str(place))
    return found


async def begun(world: World, old: Project) -> str:
    """A run of the old code that waits for its hook."""
    async with Application(world, old):
        run = await start("order", "t")
        await waiting(world, "t")  # type: ignore[arg-type]  # any world will do
    return run.run_id


async def has_task(world: World, project: Project, run_id: str) -> None:
    """Wait until the step is a task, and the worker that cannot do it has let it go."""

    async def look() -> bool:
        tasks = await world.list_tasks(run_id)
        return any(
            task.name not in project.registry.steps
            or (task.owner is None and task.run_at > world.now())
            for task in tasks
        )

    await until(world, look, what="that the step becomes a free task")


async def passed(clock: VirtualClock) -> None:
    """Five seconds later."""
    clock.advance(5)
    for _ in range(100):
        await asyncio.sleep(0)


async def later(application: Application, clock: VirtualClock) -> None:
    """Five seconds later, and what the worker does then."""
    await passed(clock)
    worker = application._worker
    assert worker is not None
    await worker.stranded.look()


@pytest.mark.scenario("step that is not registered")
@pytest.mark.parametrize(
    ("new", "reason"),
    [
        (WITHOUT, "no live worker has the step 'ship'"),
        (OTHER_PARAMETERS, "does not take the recorded arguments: ship"),
    ],
)
def test_a_step_that_nobody_has_parks_the_run_after_a_while(
    tmp_path: Path, new: str, reason: str
) -> None:
    """Not at once, so that a rolling deploy parks nothing; and once the step is back it goes on."""
    old, now = builds(tmp_path, CODE, new)

    async def main() -> None:
        clock = VirtualClock()
        world = memory.create(clock)
        run_id = await begun(world, old)
        async with Application(world, now) as application:
            await resume_hook("t", None)
            await has_task(world, now, run_id)
            for _ in range(11):
                await later(application, clock)
                run = await world.get_run(run_id)
                assert run is not None
                assert run.parked is None
            await later(application, clock)
            await passed(clock)  # and it is resumed before the worker looks again
            why = await parked(world, run_id)
            assert why.code == "step-not-registered"
            assert reason in why.reason
            assert f"wfc resume {run_id}" in why.reason
            assert "step_failed" not in (await Events.of(world, run_id)).types()
            assert await world.unpark(run_id)  # by somebody whose worker is not up yet
            for _ in range(11):
                await later(application, clock)
                run = await world.get_run(run_id)
                assert run is not None
                assert run.parked is None, "the time begins anew"
            for _ in range(4):
                await later(application, clock)
            await parked(world, run_id)
        async with Application(world, old) as application:
            assert await world.unpark(run_id)
            run = await ended(application, run_id)
            assert run.status == "completed"

    asyncio.run(main())


@pytest.mark.parametrize("new", [WITHOUT, OTHER_PARAMETERS])
def test_during_a_rolling_deploy_a_worker_hands_back_what_it_does_not_have(
    tmp_path: Path, new: str
) -> None:
    """While an old worker lives, the new one parks nothing, and the old one does the step."""
    old, now = builds(tmp_path, CODE, new)

    async def main() -> None:
        clock = VirtualClock()
        world = memory.create(clock)
        run_id = await begun(world, old)
        async with Application(world, now) as application:
            await resume_hook("t", None)
            await has_task(world, now, run_id)
            beside = Worker(world, old)
            await beside.start()
            try:
                clock.advance(5)  # when the task is offered again, the other worker has it first
                assert (await ended(application, run_id)).status == "completed"
            finally:
                await beside.stop()

    asyncio.run(main())


SHAPES = """
    from dataclasses import dataclass
    from workflow import create_hook

    @dataclass
    class Parcel:
        weight: int
        GONE

    async def pack() -> Parcel:
        "use step"
        return Parcel(weight=3)

    async def order(token: str) -> int:
        "use workflow"
        parcel = await pack()
        await create_hook(token=token)
        return parcel.weight
"""


def test_a_recorded_field_that_the_class_has_lost_parks_the_run_with_its_path(
    tmp_path: Path,
) -> None:
    """Nothing of a recorded value is dropped in silence; under its own code the run goes on."""
    old, new = builds(
        tmp_path, SHAPES.replace("GONE", "height: int = 4"), SHAPES.replace("GONE", "")
    )

    async def main() -> None:
        world = memory.create()
        run_id = await begun(world, old)
        # A repair that goes wrong: the run is put under code whose class has lost a field.
        await world.open()
        await world.post(run_id, Letter(kind="nudge"))
        (claimed,) = (await world.claim_runs("repair", 1)).runs
        await world.park(run_id, "repair", claimed.fence, Parked(code="test", reason="repair"))
        async with Application(world, new):
            await world.unpark(run_id, bundle=new.bundle.hash)
            why = await parked(world, run_id)
            assert why.code == "serialization"
            assert why.position == 3
            assert why.reason.startswith("pack().height: the recorded Parcel has a field 'height'")
        async with Application(world, old) as application:
            await world.unpark(run_id, bundle=old.bundle.hash)
            await resume_hook("t", None)
            assert (await ended(application, run_id)).status == "completed"

    asyncio.run(main())


def test_the_time_is_a_number_of_seconds() -> None:
    """A minute if not set; anything but seconds is refused with the name of the setting."""
    assert patience({}) == 60
    assert patience({"WORKFLOW_PARK_MISSING_AFTER": "0.5"}) == 0.5
    for wrong in ("soon", "-1", "inf", "nan"):
        with pytest.raises(ValueError, match="WORKFLOW_PARK_MISSING_AFTER"):
            patience({"WORKFLOW_PARK_MISSING_AFTER": wrong})


PARCEL = CODE.replace(
    "    async def ship",
    "    @dataclass\n    class Parcel:\n        weight: int\n\n    async def ship",
).replace("order(token: str)", "order(token: str, parcel: Parcel = Parcel(3))")
# New runs that the old code cannot begin: both sources, the workflow, its arguments, and the code
# they are parked with.
BEGUN_ELSEWHERE = {
    "another name": (
        *(CODE, CODE.replace("order(", "purchase(")),
        *("purchase", ["t"], "workflow-not-registered"),
    ),
    "another parameter": (
        *(CODE, CODE.replace("order(token: str)", "order(token: str, unit: str)")),
        *("order", ["t", "kg"], "workflow-not-registered"),
    ),
    "another class": (
        *(PARCEL, PARCEL.replace("weight: int\n", "weight: int\n        height: int = 4\n")),
        *("order", ["t"], "serialization"),
    ),
}


@pytest.mark.parametrize("kind", ["memory", "local"])
@pytest.mark.parametrize("change", BEGUN_ELSEWHERE)
def test_a_new_run_that_cannot_begin_here_is_left_to_others(
    tmp_path: Path, kind: str, change: str
) -> None:
    """During a rolling deploy a worker that does not have the workflow, or not as it was started,
    gives the run back, whole, and the one that has it does it."""
    before, after, workflow, arguments, _ = BEGUN_ELSEWHERE[change]
    old, new = builds(tmp_path, before, after)

    async def main() -> None:
        clock = VirtualClock()
        world = memory.create(clock) if kind == "memory" else local_world(tmp_path / "data", clock)
        async with Application(world, new, worker=False):
            run = await start(workflow, *arguments)
            await world.post(run.run_id, Letter(kind="attrs", meta=b'{"early":"1"}'))

        async def there() -> RunRecord:
            found = await world.get_run(run.run_id)
            assert found is not None
            assert found.parked is None
            return found

        async def left() -> bool:
            found = await there()
            return found.owner is None and found.next_timer is not None

        async def pinned() -> bool:
            return (await there()).bundle is not None

        async with Application(world, old):
            await until(world, left, what="that the worker gives it back")
            beside = Worker(world, new)
            await beside.start()
            clock.advance(5)  # when the run is offered again, the other worker has it first
            try:
                await until(world, pinned, what="that the other worker has it")
                await waiting(world, "t")  # type: ignore[arg-type]  # any world will do
            finally:
                await beside.stop()
            found = await there()
            assert found.bundle == new.bundle.hash
            assert found.attributes["early"] == "1"

    asyncio.run(main())


@pytest.mark.parametrize("change", BEGUN_ELSEWHERE)
def test_a_new_run_that_nobody_can_begin_is_parked_after_a_while(
    tmp_path: Path, change: str
) -> None:
    """It has not failed: once somebody has the workflow as it was started, it goes on."""
    before, after, workflow, arguments, code = BEGUN_ELSEWHERE[change]
    old, new = builds(tmp_path, before, after)

    async def main() -> None:
        clock = VirtualClock()
        world = memory.create(clock)
        async with Application(world, new, worker=False):
            run = await start(workflow, *arguments)
        async with Application(world, old):
            while True:
                record = await world.get_run(run.run_id)
                assert record is not None
                if record.parked is not None:
                    break
                assert clock.now() < record.created_at + 90_000_000
                clock.advance(1)
                for _ in range(100):
                    await asyncio.sleep(0)
            assert clock.now() > record.created_at + 59_000_000
            assert record.parked.code == code
            assert record.head == 1
        async with Application(world, new):
            await world.unpark(run.run_id)
            await waiting(world, "t")

    asyncio.run(main())

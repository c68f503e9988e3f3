"""Values of classes whose definition changed between two deploys, inside of other values.

The body reads them with the classes of its own, pinned code; steps with those of the new code.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.engine.test_missing_steps import begun, builds, later
from tests.engine.test_versions import parked
from tests.project import Events, ended, until
from workflow.api import resume_hook
from workflow.codec import Codec
from workflow.engine import Application, Project
from workflow.testing import VirtualClock
from workflow.worlds import memory
from workflow.worlds.memory import MemoryWorld

CODE = """
    from dataclasses import dataclass
    from workflow import create_hook

    @dataclass
    class Parcel:
        weight: int

    @dataclass
    class Box:
        parcels: list[Parcel]

    async def pack(box: Box) -> Box:
        "use step"
        return box

    async def describe(box: Box) -> str:
        "use step"
        return f"described {box.parcels[0].weight}"

    async def order(token: str) -> str:
        "use workflow"
        box = Box([Parcel(3)])
        await create_hook(token=token)
        return await describe(box)
"""
PACKING = CODE.replace("describe(box)\n", "describe(await pack(box))\n")
Change = Callable[[str], str]
Play = Callable[[Application, MemoryWorld, str, VirtualClock], Awaitable[None]]


def with_default(code: str) -> str:
    code = code.replace("weight: int\n", "weight: int\n        height: int = 4\n")
    return code.replace("[0].weight}", "[0].weight} {box.parcels[0].height}")


def renamed(code: str) -> str:
    return code.replace("Parcel", "Package")


def deployed(folder: Path, code: str, change: Change, play: Play) -> None:
    """Begin a run, deploy its code changed, answer the run's hook, and let `play` look.

    Afterwards the old code is put back, under which the run always goes on.
    """
    old, now = builds(folder, code, change(code))

    async def main() -> None:
        clock = VirtualClock()
        world = memory.create(clock)
        run_id = await begun(world, old)
        async with Application(world, now) as application:
            await resume_hook("t", None)
            await play(application, world, run_id, clock)
        await went_on(world, old, run_id, clock)

    asyncio.run(main())


async def went_on(world: MemoryWorld, old: Project, run_id: str, clock: VirtualClock) -> None:
    async with Application(world, old) as application:
        run = await world.get_run(run_id)
        assert run is not None
        if run.parked is not None:
            assert await world.unpark(run_id)
        for _ in range(20):  # a step that is done again waits a while
            await later(application, clock)
        assert (await ended(application, run_id)).status == "completed"


def test_a_step_gives_fields_that_were_not_recorded_their_defaults(tmp_path: Path) -> None:
    """The old body passes its value on, nested in another one, and the step has the default."""

    async def play(
        application: Application, world: MemoryWorld, run_id: str, clock: VirtualClock
    ) -> None:
        run = await ended(application, run_id)
        assert run.bundle != application.project.bundle.hash
        assert Codec().decode(run.output or b"") == "described 3 4"

    deployed(tmp_path, CODE, with_default, play)


def test_a_field_the_pinned_class_does_not_have_parks_with_its_path(tmp_path: Path) -> None:
    """What the new step returns cannot be read by the old body: nothing is dropped, or recorded."""

    async def play(
        application: Application, world: MemoryWorld, run_id: str, clock: VirtualClock
    ) -> None:
        why = await parked(world, run_id)
        assert why.code == "serialization"
        assert why.reason.startswith(
            "pack().parcels[0].height: the recorded Parcel has a field 'height'"
        )
        assert (await Events.of(world, run_id)).types()[-1] == "step_created"

    deployed(tmp_path, PACKING, with_default, play)


def test_a_class_that_was_renamed_parks_the_call_that_passes_it(tmp_path: Path) -> None:
    """The new code does not know the class under its recorded name; the reason says which."""

    async def play(
        application: Application, world: MemoryWorld, run_id: str, clock: VirtualClock
    ) -> None:
        async def handed_back() -> bool:
            tasks = await world.list_tasks(run_id)
            return any(task.owner is None and task.run_at > world.now() for task in tasks)

        await until(world, handed_back, what="that the step is handed back")
        for _ in range(15):
            await later(application, clock)
        why = await parked(world, run_id)
        assert why.code == "step-not-registered"
        assert "Parcel" in why.reason
        assert "step_failed" not in (await Events.of(world, run_id)).types()

    deployed(tmp_path, CODE, renamed, play)

"""`examine` looks at every open run of a world, whatever state it is in, and writes nothing."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.engine.test_missing_steps import builds
from tests.engine.test_versions import waiting
from tests.project import build, module_of, until
from workflow.api import start
from workflow.codec import Codec
from workflow.engine import Application, Project
from workflow.engine.against import Verdict, examine
from workflow.replay.live import pack
from workflow.sandbox import Bundle, ModuleSource
from workflow.testing import VirtualClock
from workflow.world.port import World
from workflow.world.records import Append, Letter, NewRun, Parked
from workflow.worlds import memory

START = 1_700_000_000_000_000

CODE = """
    from workflow import create_hook, pending_action

    async def charge(cents: int) -> int:
        "use step"
        return cents

    async def order(token: str) -> int:
        "use workflow"
        cents = await charge(5)
        await create_hook(token=token)
        return cents

    async def asks() -> str:
        "use workflow"
        return await pending_action("approve")
"""


async def verdicts(world: World, project: Project) -> list[Verdict]:
    return [each async for each in examine(world, project)]


def new_run(project: Project, number: int) -> NewRun:
    """A run that nobody has begun."""
    workflow = next(name for name in project.bundle.workflows if name.endswith("//order"))
    return NewRun(
        run_id=f"wrun_{number}",
        workflow=workflow,
        input=Codec({}).encode({"token": f"of {number}"}),
        meta=pack({"seed": "0" * 32, "base_url": ""}),
    )


def test_runs_on_every_page_and_of_every_open_status_are_looked_at(tmp_path: Path) -> None:
    """Pending, running and paused ones, of each as many as there are; not those that have ended."""
    project = build(tmp_path, CODE)

    async def main() -> None:
        world = memory.create(VirtualClock(START))
        async with Application(world, project):
            running = await start("order", "t")
            await waiting(world, "t")
            paused = await start("asks")
            over = await start("order", "u")
            await waiting(world, "u")
            await over.terminate("enough")

            async def is_paused() -> bool:
                return await paused.status == "paused"

            await until(world, is_paused, what="that the run is paused")
        await world.open()
        count = 205
        for number in range(count):
            await world.create(new_run(project, number))
        before = (await world.load(running.run_id)).run
        found = await verdicts(world, project)
        ids = [each.run_id for each in found]
        assert len(set(ids)) == len(ids) == count + 2
        assert {running.run_id, paused.run_id} < set(ids)
        assert over.run_id not in ids
        assert all(each.continues and not each.old_code for each in found)
        assert (await world.load(running.run_id)).run == before

    asyncio.run(main())


@asynccontextmanager
async def changed(
    world: World, project: Project, *, python: str | None = None, bundle: Bundle | None = None
) -> AsyncIterator[str]:
    """A run that waits, put under another Python or bundle by hand while no worker is there."""
    async with Application(world, project):
        run = await start("order", "t")
        await waiting(world, "t")  # type: ignore[arg-type]  # any world will do
    await world.open()
    await world.post(run.run_id, Letter(kind="nudge"))
    (claimed,) = (await world.claim_runs("repair", 1)).runs
    append = Append(
        run_id=run.run_id,
        worker="repair",
        fence=claimed.fence,
        expected=claimed.head,
        at=world.now(),
        python=python,
    )
    assert (await world.append(append)).ok
    parked = Parked(code="test", reason="repair")
    assert await world.park(run.run_id, "repair", claimed.fence, parked)
    if bundle is not None:
        await world.put_bundle(bundle.hash, bundle.to_bytes())
    assert await world.unpark(run.run_id, bundle=bundle.hash if bundle is not None else None)
    yield run.run_id


def test_another_python_is_noted(tmp_path: Path) -> None:
    """The log is replayed here, under this one; whether that fits is what counts."""
    project = build(tmp_path, CODE)

    async def main() -> None:
        world = memory.create(VirtualClock(START))
        async with changed(world, project, python="3.9"):
            (found,) = await verdicts(world, project)
            ours = f"3.{sys.version_info.minor}"
            assert found.notes == (f"begun under Python 3.9, replayed here under {ours}",)
            assert found.continues

    asyncio.run(main())


def test_code_that_cannot_even_be_imported_is_a_problem_of_its_run(tmp_path: Path) -> None:
    """The others are still looked at."""
    project = build(tmp_path, CODE)
    module = module_of(tmp_path)
    broken = ModuleSource(module, f"{module}.py", "raise ValueError('not under this Python')\n")
    bundle = Bundle((broken,), workflows=project.bundle.workflows)

    async def main() -> None:
        world = memory.create(VirtualClock(START))
        async with changed(world, project, bundle=bundle) as run_id:
            await world.create(new_run(project, 1))
            found = {each.run_id: each for each in await verdicts(world, project)}
            assert found["wrun_1"].continues
            assert found[run_id].problems == ("ValueError: not under this Python",)

    asyncio.run(main())


def test_a_step_that_has_been_done_may_go(tmp_path: Path) -> None:
    """Only calls that are open need their step; what the old code may still call is listed."""
    old, new = builds(tmp_path, CODE, CODE.replace("charge(", "bill("))

    async def main() -> None:
        world = memory.create(VirtualClock(START))
        async with changed(world, old):
            (found,) = await verdicts(world, new)
            assert found.continues
            assert found.old_code
            assert found.missing == (f"step//{module_of(tmp_path)}.py//charge",)
            assert "charge" in found.under_new

    asyncio.run(main())

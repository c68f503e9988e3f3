"""Runs and the code they were begun with: pinning, divergence, parking and going on."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.project import Events, build, module_of, until
from workflow.api import get_run, resume_hook, start
from workflow.engine import Application
from workflow.world.records import Append, Letter, Parked
from workflow.worlds import memory
from workflow.worlds.memory import MemoryWorld

OLD = """
    from workflow import create_hook

    async def charge(cents: int) -> int:
        "use step"
        return cents

    async def ship(cents: int) -> str:
        "use step"
        return f"shipped for {cents}"

    async def order(token: str) -> str:
        "use workflow"
        cents = await charge(5)
        await create_hook(token=token)
        return await ship(cents)
"""
NEW = OLD.replace("        cents = await charge(5)\n", "        cents = await charge(6)\n")


async def waiting(world: MemoryWorld, token: str) -> None:
    """Wait until the hook is open and the run has been given up."""

    async def look() -> bool:
        hook = await world.get_hook(token)
        if hook is None:
            return False
        run = await world.get_run(hook.run_id)
        return run is not None and run.owner is None

    await until(world, look)


async def parked(world: MemoryWorld, run_id: str) -> Parked:
    async def look() -> Parked | None:
        run = await world.get_run(run_id)
        return run.parked if run is not None else None

    return await until(world, look, what="parking")


@pytest.mark.fault("F39")
def test_a_run_goes_on_under_the_code_it_was_begun_with(tmp_path: Path) -> None:
    """After a deploy that would diverge, an old run is finished by its own orchestration code."""
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    name = module_of(tmp_path)
    old = build(tmp_path / "old", OLD, name=name)
    new = build(tmp_path / "new", NEW, name=name)
    assert old.bundle.hash != new.bundle.hash

    async def main() -> None:
        world = memory.create()
        async with Application(world, old):
            run = await start("order", "t")
            await waiting(world, "t")
        async with Application(world, new):
            await resume_hook("t", None)
            assert await get_run(run.run_id).result(60) == "shipped for 5"
            fresh = await start("order", "u")
            await waiting(world, "u")
            await resume_hook("u", None)
            assert await fresh.result(60) == "shipped for 6"
            record = await world.get_run(run.run_id)
            assert record is not None
            assert record.bundle == old.bundle.hash
            assert record.python == f"{sys.version_info.major}.{sys.version_info.minor}"

    asyncio.run(main())


@pytest.mark.fault("F39")
def test_a_divergence_parks_the_run_and_resume_lets_it_go_on(tmp_path: Path) -> None:
    """Nothing is appended; the reason names position, record, request and line; mail goes on."""
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    name = module_of(tmp_path)
    old = build(tmp_path / "old", OLD, name=name)
    new = build(tmp_path / "new", NEW, name=name)

    async def main() -> None:
        world = memory.create()
        async with Application(world, old):
            run = await start("order", "t")
            await waiting(world, "t")
        await world.open()
        before = await world.list_events(run.run_id)
        # A careless repair while no worker is running: go on under code that does not fit.
        await world.post(run.run_id, Letter(kind="nudge"))
        claimed = await world.claim_runs("repair", 1)
        fence = claimed.runs[0].fence
        assert await world.park(run.run_id, "repair", fence, Parked(code="test", reason="repair"))
        assert await world.unpark(run.run_id, bundle=new.bundle.hash)
        async with Application(world, new):
            await resume_hook("t", None)
            why = await parked(world, run.run_id)
            assert why.code == "divergence"
            assert why.position == 2
            assert "charge" in why.reason
            assert f"{name}.py:{line_of(NEW, 'charge(6)')}" in why.reason
            assert await world.list_events(run.run_id) == before
        async with Application(world, old):  # the same code, from the world, by another worker
            await world.unpark(run.run_id)
            why = await parked(world, run.run_id)
            pinned, ours = new.bundle.hash[:12], old.bundle.hash[:12]
            assert f"(bundle of the run {pinned}, of this worker {ours})" in why.reason
            assert "the log says step_created charge" in why.reason
            assert "asked for step_created charge" in why.reason
            assert "Likely cause: the argument 'cents' has another value" in why.reason
            assert await world.list_events(run.run_id) == before

            await world.unpark(run.run_id, bundle=old.bundle.hash)
            assert await get_run(run.run_id).result(60) == "shipped for 5"
            log = await Events.of(world, run.run_id)
            assert log.named("step_completed") == ["charge", "ship"]

    asyncio.run(main())


def test_another_python_is_named_when_the_replay_differs(tmp_path: Path) -> None:
    """Under another minor version the log is replayed first; that it fits is enough to go on."""
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    name = module_of(tmp_path)
    old = build(tmp_path / "old", OLD, name=name)
    new = build(tmp_path / "new", NEW, name=name)

    async def main() -> None:
        world = memory.create()
        async with Application(world, old):
            run = await start("order", "t")
            await waiting(world, "t")
        await world.open()
        await world.post(run.run_id, Letter(kind="nudge"))
        (claimed,) = (await world.claim_runs("repair", 1)).runs
        begun = Append(
            run_id=run.run_id,
            worker="repair",
            fence=claimed.fence,
            expected=claimed.head,
            at=world.now(),
            python="3.9",
        )
        assert (await world.append(begun)).ok
        assert await world.park(
            run.run_id, "repair", claimed.fence, Parked(code="test", reason="repair")
        )
        assert await world.unpark(run.run_id, bundle=new.bundle.hash)
        async with Application(world, new):
            await resume_hook("t", None)
            why = await parked(world, run.run_id)
            assert "begun under Python 3.9, replayed under 3." in why.reason
            await world.unpark(run.run_id, bundle=old.bundle.hash)
            assert await get_run(run.run_id).result(60) == "shipped for 5"

    asyncio.run(main())


def line_of(source: str, text: str) -> int:
    return next(n for n, line in enumerate(source.splitlines(), 1) if text in line)

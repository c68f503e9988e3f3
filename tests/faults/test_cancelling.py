"""A run is cancelled after its first, second, third … write: always the same kind of end."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import new_world
from tests.project import Events, build, ended, loaded, until
from workflow.api import get_run, start
from workflow.engine import Application
from workflow.testing.clock import VirtualClock
from workflow.world.port import World
from workflow.world.records import Append, Appended, RunFilter, RunRecord
from workflow.worlds.local import create_local_world
from workflow.worlds.memory import MemoryWorld

THOROUGH = "WORKFLOW_TEST_THOROUGH" in os.environ
ENDS = ("run_completed", "run_failed", "run_cancelled")

FLOWS = """
    import asyncio

    from workflow import create_hook, get_workflow_metadata, sleep
    from workflow.api import start

    async def work(n: int) -> int:
        "use step"
        return n

    async def clean_up(what: str) -> str:
        "use step"
        return what

    async def inner() -> None:
        "use workflow"
        try:
            await work(1)
            await sleep("1h")
        finally:
            await clean_up("inner")

    async def outer() -> None:
        "use workflow"
        child = None
        try:
            await work(1)
            await asyncio.gather(work(2), work(3))
            child = await start(inner)
            await asyncio.wait_for(child.result(), 3600)
        finally:
            if child is not None:
                await child.cancel("its parent was cancelled")
                await asyncio.gather(child, return_exceptions=True)
            await clean_up("outer")
"""


def make_world(target: str, folder: Path, clock: VirtualClock) -> World:
    if target == "local":
        return create_local_world(folder, clock)
    return new_world(clock) if target == "postgres" else MemoryWorld(clock)


def after_appends(world: Any, call: Callable[[], Any]) -> None:
    """Have something called after each append that the world has accepted."""
    real = world.append

    async def append(asked: Append) -> Appended:
        done: Appended = await real(asked)
        await call()
        return done

    world.append = append


async def cancelled_at(nth: int, world: World, project: Any, flows: Any) -> bool:
    """Cancel `outer` after so many appends. False when it had come to rest before."""
    async with Application(world, project) as app:
        appends = 0
        run: Any = None

        async def count() -> None:
            nonlocal appends
            appends += 1
            if appends == nth and run is not None:
                await run.cancel("enough")

        after_appends(world, count)
        run = await start(flows.outer)
        if nth == 0:
            await run.cancel("enough")

        async def rests() -> RunRecord | bool:
            record = await world.get_run(run.run_id)
            assert record is not None
            assert record.parked is None, record.parked
            if record.completed_at is not None:
                return True
            runs = await everything(world)
            idle = len(runs) == 2 and all(r.next_timer and r.owner is None for r in runs)
            return idle and appends < nth

        await until(world, rests, what="the end, or rest")
        record = await world.get_run(run.run_id)
        assert record is not None
        early = record.completed_at is None
        if early:
            await run.cancel("enough")
            await ended(app, run.run_id)
        for each in await everything(world):
            await check(app, each.run_id, inner=each.run_id != run.run_id)
        return not early


async def everything(world: World) -> tuple[RunRecord, ...]:
    return (await world.list_runs(RunFilter(), limit=10)).items


async def check(app: Application, run_id: str, *, inner: bool) -> None:
    """The run has ended as cancelled, once, after cleaning up once if it had begun to work."""
    record = await ended(app, run_id)
    assert record.status == "cancelled"
    log = await Events.of(app.world, run_id)
    types = log.types()
    assert [t for t in types if t in ENDS] == ["run_cancelled"]
    assert types[-1] == "run_cancelled"
    began = "work" in log.named("step_created")
    cleaned = [e.ref for e in log.all if e.name.endswith("clean_up")]
    assert len(set(cleaned)) == (1 if began else 0), (inner, types)
    finished = [e.ref for e in log.all if e.type == "step_completed"]
    assert len(finished) == len(set(finished))
    assert set(cleaned) <= set(finished)
    assert await app.world.list_tasks(run_id) == ()
    assert await get_run(run_id).status == "cancelled"


@pytest.mark.fault("F49")
@pytest.mark.parametrize("target", ["memory", "local", "postgres"])
def test_a_run_may_be_cancelled_at_every_point(target: str, tmp_path: Path) -> None:
    """Parent and child are both cancelled, each has one end, and what their `finally` asks for is
    done once, wherever the parent was."""
    project = build(tmp_path, FLOWS)
    stride = 1 if THOROUGH or target == "memory" else 3

    async def main() -> int:
        for nth in itertools.count(0, stride):
            assert nth < 60
            world = make_world(target, tmp_path / f"data{nth}", VirtualClock())
            if not await cancelled_at(nth, world, project, loaded(tmp_path)):
                return nth
        raise AssertionError("unreachable")

    assert asyncio.run(main()) > 3

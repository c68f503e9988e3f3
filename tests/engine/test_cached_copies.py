"""Live copies of idle runs: used only where log and code are those they were made from."""

from __future__ import annotations

import asyncio
from collections import deque
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.engine.test_versions import waiting
from tests.project import Events, build, module_of
from workflow.api import start
from workflow.codec import Codec
from workflow.engine import Application, Project, cold, worker
from workflow.engine.session import Session
from workflow.engine.worker import Worker
from workflow.events import NewEvent
from workflow.replay.live import LiveRun
from workflow.testing import VirtualClock
from workflow.world.records import Letter, RunRecord
from workflow.worlds import memory
from workflow.worlds.memory import MemoryWorld

START = 1_700_000_000_000_000

FLOWS = """
    from workflow import create_hook

    async def listens(token: str) -> list[str]:
        "use workflow"
        hook = create_hook(token=token)
        return [await hook, await hook]
"""


async def begun(world: MemoryWorld, project: Project) -> RunRecord:
    """A run that waits for its hook, of which no worker has a copy."""
    async with Application(world, project):
        run = await start("listens", "t")
        await waiting(world, "t")
    await world.open()
    return await record(world, run.run_id)


async def record(world: MemoryWorld, run_id: str) -> RunRecord:
    found = await world.get_run(run_id)
    assert found is not None
    return found


async def copy_of(engine: Worker, run: RunRecord) -> LiveRun:
    """A live copy at the end of the run's log."""
    pending: deque[NewEvent] = deque()
    loaded = await engine.world.load(run.run_id)
    return await cold.cold_copy(engine, run, loaded.events, pending)


async def send(world: MemoryWorld, text: str) -> None:
    await world.post_to_token("t", Letter(kind="hook_received", payload=Codec({}).encode(text)))


async def claim(engine: Worker) -> RunRecord:
    await engine._beat()
    (claimed,) = (await engine.world.claim_runs(engine.id, 1)).runs
    return claimed


def test_a_copy_is_handed_out_for_its_own_log_and_code_only(tmp_path: Path) -> None:
    """Under another bundle, or behind or before the log, it is closed and the log is replayed."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        world = memory.create(VirtualClock(START))
        run = await begun(world, project)
        engine = Worker(world, project)
        live = await copy_of(engine, run)
        engine.cache(live, run.bundle)
        assert engine.take_cached(run) is live
        assert engine.take_cached(run) is None, "it was handed out"
        live.close()
        others = [
            replace(run, head=run.head + 1),
            replace(run, head=run.head - 1),
            replace(run, bundle="another"),
            replace(run, bundle=None),
        ]
        for other in others:
            live = await copy_of(engine, run)
            engine.cache(live, run.bundle)
            assert engine.take_cached(other) is None
            assert live.loop.is_closed()
            assert engine.take_cached(run) is None

    asyncio.run(main())


def test_the_copy_of_a_run_that_went_on_elsewhere_is_not_used(tmp_path: Path) -> None:
    """Another worker has taken a payload meanwhile: the body gets it before the next one."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        world = memory.create(VirtualClock(START))
        run = await begun(world, project)
        engine, other = Worker(world, project), Worker(world, project)
        live = await copy_of(engine, run)
        engine.cache(live, run.bundle)
        await send(world, "first")
        await Session(other, await claim(other)).run()
        await send(world, "second")
        await Session(engine, await claim(engine)).run()
        run = await record(world, run.run_id)
        assert run.status == "completed"
        assert Codec({}).decode(run.output or b"") == ["first", "second"]
        assert live.loop.is_closed()

    asyncio.run(main())


def test_a_copy_that_is_behind_the_log_that_was_read_is_not_used(tmp_path: Path) -> None:
    """What counts is the log that is read, whatever was said when the run was claimed."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        world = memory.create(VirtualClock(START))
        run = await begun(world, project)
        engine, other = Worker(world, project), Worker(world, project)
        live = await copy_of(engine, run)
        engine.cache(live, run.bundle)
        await send(world, "first")
        await Session(other, await claim(other)).run()
        await send(world, "second")
        claimed = await claim(engine)
        assert claimed.head > run.head
        await Session(engine, replace(claimed, head=run.head)).run()
        assert (await record(world, run.run_id)).status == "completed"
        log = await Events.of(world, run.run_id)
        assert log.types().count("hook_received") == 2

    asyncio.run(main())


def test_the_copy_that_was_used_last_stays_longest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy that comes back counts as used then, not when it came first."""
    monkeypatch.setattr(worker, "CACHED", 2)
    project = build(tmp_path, FLOWS)
    workflow = f"workflow//{module_of(tmp_path)}.py//listens"

    async def main() -> None:
        engine = Worker(memory.create(VirtualClock(START)), project)
        instance = (await engine.program(None)).instantiate()
        entry, codec = instance.workflow(workflow), engine.body_codec(instance)
        for name in ("one", "two", "one", "three"):
            engine.cache(LiveRun(name, workflow, entry, codec), None)
        assert list(engine._cache) == ["one", "three"]
        for _, copy in engine._cache.values():
            copy.close()

    asyncio.run(main())

"""A replay of a long log lets the application go on meanwhile, and the cache keeps its bound."""

from __future__ import annotations

import asyncio
from collections import deque
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.postgres import new_world
from tests.project import build, module_of
from workflow.codec import Codec
from workflow.engine import Project, cold, worker
from workflow.engine.worker import Worker
from workflow.errors import WorkflowRunNotFoundError
from workflow.events import Event, NewEvent
from workflow.replay.live import LiveRun, pack
from workflow.testing import VirtualClock
from workflow.world.port import World
from workflow.world.records import Append, Letter, NewRun
from workflow.worlds import memory
from workflow.worlds.local import create_local_world

EVENTS = 10_000
START = 1_700_000_000_000_000
FLOWS = """
    async def work(n: int) -> int:
        "use step"
        return n

    async def main(count: int) -> int:
        "use workflow"
        total = 0
        for n in range(count):
            total += await work(n)
        return total
"""


def long_log(live: LiveRun, created: Event) -> list[Event]:
    """The log of a run of many steps, fed by hand up to its last open step."""
    log = live.feed(created)
    result = Codec().encode(1)
    while len(log) < EVENTS - 1:
        ref = next(iter(live.steps))
        fact = NewEvent(type="step_completed", at=START, ref=ref, payload=result)
        log += [fact, *live.feed(fact)]
    live.close()
    return [created, *cold.numbered(log, 1)]


async def replayed(project: Project, workflow: str) -> tuple[int, int]:
    """How often another task got on during a cold replay, and how many facts that had."""
    world = memory.create(VirtualClock(START))
    await world.open()
    engine = Worker(world, project)
    meta = pack({"seed": "0" * 32, "base_url": ""})
    arguments = Codec().encode({"count": EVENTS})
    await world.create(NewRun(run_id="wrun_1", workflow=workflow, input=arguments, meta=meta))
    loaded = await world.load("wrun_1")
    instance = (await engine.program(None)).instantiate()
    live = LiveRun("wrun_1", workflow, instance.workflow(workflow), engine.body_codec(instance))
    log = long_log(live, loaded.events[0])
    ticks = 0

    async def others() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    pending: deque[NewEvent] = deque()
    copy = await cold.cold_copy(engine, loaded.run, log, pending)
    beside.cancel()
    assert copy.head == len(log)
    assert not pending
    copy.close()
    await world.close()
    return ticks, sum(event.type in ("run_created", "step_completed") for event in log)


@pytest.mark.fault("F43")
def test_a_long_replay_gives_the_event_loop_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between any two facts others may run: here after each, as the time allowed is none."""
    assert cold.PAUSE <= 0.005
    monkeypatch.setattr(cold, "PAUSE", 0.0)
    project = build(tmp_path, FLOWS)
    workflow = f"workflow//{module_of(tmp_path)}.py//main"
    ticks, facts = asyncio.run(replayed(project, workflow))
    assert facts == EVENTS // 2
    assert ticks >= facts


@pytest.mark.fault("F43")
def test_idle_copies_are_kept_up_to_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy that was used longest ago is closed and makes room."""
    monkeypatch.setattr(worker, "CACHED", 3)
    project = build(tmp_path, FLOWS)
    workflow = f"workflow//{module_of(tmp_path)}.py//main"

    async def main() -> None:
        engine = Worker(memory.create(VirtualClock(START)), project)
        instance = (await engine.program(None)).instantiate()
        copies = []
        for n in range(5):
            entry, codec = instance.workflow(workflow), engine.body_codec(instance)
            copies.append(LiveRun(f"wrun_{n}", workflow, entry, codec))
            engine.cache(copies[-1], None)
        assert list(engine._cache) == ["wrun_2", "wrun_3", "wrun_4"]
        assert [copy.loop.is_closed() for copy in copies] == [True, True, False, False, False]
        entry, codec = instance.workflow(workflow), engine.body_codec(instance)
        copies.append(LiveRun("wrun_4", workflow, entry, codec))
        engine.cache(copies[-1], None)  # of a later claim of the same run
        assert list(engine._cache) == ["wrun_2", "wrun_3", "wrun_4"]
        assert [copy.loop.is_closed() for copy in copies[-2:]] == [True, False]
        for copy in copies:
            copy.close()

    asyncio.run(main())


@pytest.mark.fault("F43")
@pytest.mark.parametrize("kind", ["memory", "local", "postgres"])
def test_a_long_log_is_read_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Others get on between the parts, and what is read is what one look would have shown."""
    assert cold.PART <= 500
    monkeypatch.setattr(cold, "PART", 10)
    made: World = memory.create()
    if kind != "memory":
        made = create_local_world(tmp_path) if kind == "local" else new_world()

    async def main() -> None:
        await made.open()
        try:
            await made.create(NewRun(run_id="run", workflow="w", input=b"", meta=b"{}"))
            (run,) = (await made.claim_runs("ann", 1)).runs
            events = tuple(NewEvent(type="attr_set", at=START, meta=b"%d" % n) for n in range(100))
            append = Append(
                run_id="run", worker="ann", fence=run.fence, expected=1, at=START, events=events
            )
            assert (await made.append(append)).ok
            await made.post("run", Letter(kind="wake"))
            ticks = 0

            async def others() -> None:
                nonlocal ticks
                while True:
                    ticks += 1
                    await asyncio.sleep(0)

            beside = asyncio.create_task(others())
            for after in (0, 5, 95, 101):
                whole = await made.load("run", after=after)
                ticks = 0
                found = await cold.read(made, whole.run, after)
                assert replace(found, now=0) == replace(whole, now=0)
                assert ticks >= (101 - after) // 10 - 1
                # Appended to since the run was claimed: the rest comes with the last part.
                before = replace(whole.run, head=50)
                found = await cold.read(made, before, after)
                assert replace(found, now=0) == replace(whole, now=0)
            beside.cancel()
            with pytest.raises(WorkflowRunNotFoundError):
                await cold.read(made, replace(whole.run, run_id="gone"))
        finally:
            await made.close()

    asyncio.run(main())

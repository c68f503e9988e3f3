"""Runs that start runs: who belongs to whom, what ends with what. On every world."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.engine.serving import MakeWorld, serve
from tests.project import Events, ended, until
from workflow.api import Run, get_run, list_runs, start, with_options
from workflow.engine import Application
from workflow.errors import WorkflowRunCancelledError, WorkflowRunFailedError
from workflow.testing.clock import VirtualClock
from workflow.worlds import memory

FLOWS = """
    import asyncio

    from workflow import create_hook, get_workflow_metadata, sleep
    from workflow.api import start, with_options

    async def fib(n: int) -> int:
        "use workflow"
        if n < 2:
            return n
        left, right = await start(fib, n - 1), await start(fib, n - 2)
        return await left + await right

    async def chain(depth: int) -> str:
        "use workflow"
        if depth == 0:
            return get_workflow_metadata().workflow_run_id
        return await (await start(chain, depth - 1))

    async def spawn(depth: int) -> str:
        "use step"
        return (await start(chain, depth)).run_id

    async def spawns(depth: int) -> str:
        "use workflow"
        return await spawn(depth)

    async def naps() -> str:
        "use workflow"
        await sleep("100 days")
        return "slept"

    async def holds(how: str) -> str:
        "use workflow"
        bound = await with_options(cancel_with_parent=True).start(naps)
        free = await start(naps)
        done = await with_options(cancel_with_parent=True).start(chain, 0)
        await done
        if how == "raises":
            raise ValueError("no more")
        if how == "waits":
            await sleep("50 days")
        if how == "grows":
            for _ in range(200):
                await sleep(0.001)
        return " ".join([bound.run_id, free.run_id])

    async def counts(n: int, stop: int) -> str:
        "use workflow"
        for _ in range(3):
            await sleep(0.001)
            n += 1
        if n < stop:
            return (await start(counts, n, stop)).run_id
        return f"counted to {n}"
"""


async def children(run: str, app: Application) -> list[str]:
    """The ids of the runs that a run's body has started, in order."""
    log = await Events.of(app.world, run)
    return [event.ref for event in log.all if event.type == "child_created"]


def test_fibonacci(make_world: MakeWorld, tmp_path: Path) -> None:
    """A workflow that starts itself twice: fib(5) is 5, by 15 runs of one family."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.fib, 5)
        assert await run.result(60) == 5
        assert len([r async for r in list_runs(workflow=flows.fib)]) == 15
        family = [r async for r in list_runs(attributes={"$root_run_id": run.run_id})]
        assert len(family) == 14
        assert await run.attributes == {}

    serve(make_world, tmp_path, FLOWS, play)


def test_a_chain_of_three(make_world: MakeWorld, tmp_path: Path) -> None:
    """Each child knows its parent and the first of them all; both can be searched."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.chain, 2)
        last = await run.result(60)
        (middle,) = [r async for r in list_runs(parent=run)]
        (end,) = [r async for r in list_runs(parent=middle.run_id)]
        assert end.run_id == last
        assert [r async for r in list_runs(parent=end)] == []
        assert await middle.attributes == {
            "$parent_run_id": run.run_id,
            "$root_run_id": run.run_id,
        }
        assert await end.attributes == {
            "$parent_run_id": middle.run_id,
            "$root_run_id": run.run_id,
        }

    serve(make_world, tmp_path, FLOWS, play)


def test_spawn_child_from_step(make_world: MakeWorld, tmp_path: Path) -> None:
    """A run that a step starts belongs to the family as well, and so do its children."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.spawns, 1)
        child = await run.result(60)
        await get_run(child).result(60)
        assert [r.run_id async for r in list_runs(parent=run)] == [child]
        (grandchild,) = [r async for r in list_runs(parent=child)]
        assert (await grandchild.attributes)["$root_run_id"] == run.run_id

    serve(make_world, tmp_path, FLOWS, play)


def test_names_of_the_runtime_are_not_for_others(tmp_path: Path) -> None:
    """Nobody says whose child a run is but the runtime."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        with pytest.raises(ValueError, match=r"begin with \$ are the runtime's own"):
            await with_options(attributes={"$parent_run_id": "wrun_x"}).start(flows.naps)

    serve(lambda clock: memory.create(clock), tmp_path, FLOWS, play)


def test_outside_of_a_body_there_is_no_parent() -> None:
    """An application cannot bind a run to another one."""
    with pytest.raises(TypeError, match="nobody's child"):
        with_options(cancel_with_parent=True)


@pytest.mark.parametrize("how", ["returns", "raises", "waits", "terminated", "grows"])
def test_children_that_end_with_their_parent(
    make_world: MakeWorld, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the parent ends, the child with `cancel_with_parent` is asked to stop, once."""
    monkeypatch.setenv("WORKFLOW_MAX_EVENTS", "100")

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run: Run[str] = await start(flows.holds, "waits" if how == "terminated" else how)

        async def asleep() -> bool:
            types = (await Events.of(app.world, run.run_id)).types()
            return "wait_created" in types

        if how in ("waits", "terminated"):
            await until(app.world, asleep)
            await (run.cancel("off") if how == "waits" else run.terminate("off"))
        while how == "grows" and (await run.completed_at) is None:
            clock.advance(1)
            await asyncio.sleep(0)
        record = await ended(app, run.run_id)
        code = {"returns": None, "raises": "user-error", "waits": None}
        code |= {"terminated": "terminated", "grows": "log-too-long"}
        assert record.error_code == code[how]
        bound, free, done = await children(run.run_id, app)
        with pytest.raises(WorkflowRunCancelledError, match=f"its parent {run.run_id} has ended"):
            await get_run(bound).result(60)
        assert await get_run(free).completed_at is None
        assert await get_run(done).status == "completed"
        assert await app.world.list_letters(done) == ()

    serve(make_world, tmp_path, FLOWS, play)


def test_continue_as_new(make_world: MakeWorld, tmp_path: Path) -> None:
    """A run that starts its successor and returns keeps every log short."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.counts, 0, 9)
        results = []
        current: Run[Any] = run
        while True:
            while await current.completed_at is None:
                clock.advance(1)
                await asyncio.sleep(0)
            results.append(await current.result(60))
            if not results[-1].startswith("wrun_"):
                break
            current = get_run(results[-1])
        assert results[-1] == "counted to 9"
        assert len(results) == 3
        family = [r async for r in list_runs(attributes={"$root_run_id": run.run_id})]
        assert {r.run_id for r in family} == set(results[:-1])
        for each in [run, *family]:
            assert len((await Events.of(app.world, each.run_id)).all) < 10

    serve(make_world, tmp_path, FLOWS, play)


def test_a_failed_child_leaves_the_others_alone(make_world: MakeWorld, tmp_path: Path) -> None:
    """Without the option a parent's end changes nothing for its children."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.holds, "raises")
        with pytest.raises(WorkflowRunFailedError, match="no more"):
            await run.result(60)
        _, free, _ = await children(run.run_id, app)
        assert await get_run(free).status in ("pending", "running")
        clock.advance(101 * 86_400)
        assert await get_run(free).result(60) == "slept"

    serve(make_world, tmp_path, FLOWS, play)

"""How many step bodies a worker runs at a time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.project import build, loaded, until
from workflow.api import start
from workflow.engine import Application
from workflow.engine.slots import concurrency
from workflow.testing import VirtualClock
from workflow.worlds import memory

FLOWS = '''
import asyncio

now = most = done = 0


async def held(n: int) -> int:
    """A step that is at work for a few rounds of the loop."""
    "use step"
    global now, most, done
    now += 1
    most = max(most, now)
    for _ in range(20):
        await asyncio.sleep(0)
    now -= 1
    done += 1
    return n


async def wide(n: int) -> int:
    """Twenty steps at once: inline ones and tasks."""
    "use workflow"
    return sum(await asyncio.gather(*[held(i) for i in range(20)]))


gates = {}
failed = False


async def gated(name: str) -> str:
    "use step"
    await gates[name].wait()
    return name


async def both() -> list[str]:
    """Two steps, of which either may end first."""
    "use workflow"
    return await asyncio.gather(gated("first"), gated("second"))


async def fails_once() -> str:
    "use step"
    global failed
    if not failed:
        failed = True
        raise OSError("not now")
    return "done"


async def stubborn() -> str:
    "use workflow"
    return await fails_once()
'''


class Named:
    def __init__(self, name: str, **more: Any) -> None:
        self.name = name
        self.__dict__.update(more)


@pytest.mark.fault("C13")
@pytest.mark.parametrize(
    "name", ["WORKFLOW_WORKER_CONCURRENCY", "WORKFLOW_MEMORY_WORKER_CONCURRENCY"]
)
def test_no_more_bodies_than_places(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inline steps and tasks of several runs share the places, and all get their turn."""
    project = build(tmp_path, FLOWS)
    monkeypatch.setenv(name, "3")

    async def main() -> None:
        async with Application(memory.create(), project):
            runs = [await start("wide", n) for n in range(4)]
            for run in runs:
                assert await run.result(60) == sum(range(20))
        flows = loaded(tmp_path)
        assert (flows.most, flows.done) == (3, 80)

    asyncio.run(main())


def test_a_place_that_gets_free_is_given_on_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that fell due while all places were taken gets the place of a step whose end gives
    nobody else anything to do: its run goes on with another step."""
    project = build(tmp_path, FLOWS)
    monkeypatch.setenv("WORKFLOW_WORKER_CONCURRENCY", "2")
    clock = VirtualClock()
    flows = loaded(tmp_path)

    async def main() -> None:
        flows.gates.update(first=asyncio.Event(), second=asyncio.Event())
        world = memory.create(clock)
        async with Application(world, project):
            waiting = await start("stubborn")

            async def to_be_tried_again() -> bool:
                return any(task.error for task in await world.list_tasks(waiting.run_id))

            await until(world, to_be_tried_again)
            other = await start("both")

            async def at_work() -> bool:
                events = await world.list_events(other.run_id)
                return sum(event.type == "step_created" for event in events) == 2

            await until(world, at_work)
            clock.advance(60)
            for _ in range(100):
                await asyncio.sleep(0)  # the worker looks, and has no room
            assert await waiting.status == "running"
            flows.gates["first"].set()
            assert await waiting.result(60) == "done"
            assert await other.status == "running"
            flows.gates["second"].set()
            assert await other.result(60) == ["first", "second"]

    asyncio.run(main())


def test_what_counts() -> None:
    """The world's own name counts more than the general one, and both more than the usual."""
    world: Any = Named("postgres", worker_concurrency=10)
    general, own = "WORKFLOW_WORKER_CONCURRENCY", "WORKFLOW_POSTGRES_WORKER_CONCURRENCY"
    assert concurrency({}, world) == 10
    assert concurrency({general: "4"}, world) == 4
    assert concurrency({general: "4", own: "5"}, world) == 5
    assert concurrency({own: "5"}, Named("local")) is None  # type: ignore[arg-type]
    for wrong in ("0", "-1", "many"):
        with pytest.raises(ValueError, match=f"{own} is '{wrong}'"):
            concurrency({own: wrong}, world)

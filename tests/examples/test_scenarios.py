"""Scenarios that durable workflows are commonly tested with, end to end, on the memory world and
on the local one. docs/conformance.md lists them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import wfc
from tests.project import until
from workflow import Request
from workflow.api import Run, resume_hook, resume_webhook, start
from workflow.engine import Application, Project
from workflow.errors import HookNotFoundError
from workflow.testing import VirtualClock
from workflow.world.port import World
from workflow.worlds import memory
from workflow.worlds.local import create_local_world

SOURCE = Path(__file__).parent / "scenarios.py"
MODULE, OTHER = "conformance_scenarios", "conformance_namesake"
# Functions of the same names in another file, and a step that no workflow of that file calls.
NAMESAKE = f"""
from {MODULE} import after


async def add(a: int, b: int) -> int:
    "use step"
    return a - b


async def add_ten(n: int) -> int:
    "use workflow"
    return await add(n, 10)


async def imported_step_only() -> str:
    "use workflow"
    return await after("imported")
"""


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenarios")
    (folder / f"{MODULE}.py").write_text(SOURCE.read_text("utf-8"), "utf-8")
    (folder / f"{OTHER}.py").write_text(NAMESAKE, "utf-8")
    result = wfc.build(folder)
    assert not result.diagnostics, [str(d) for d in result.diagnostics]
    return folder / "generated"


@pytest.fixture(params=["memory", "local"])
def target(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@asynccontextmanager
async def stage(
    target: str, generated: Path, folder: Path
) -> AsyncIterator[tuple[World, VirtualClock]]:
    """The scenarios at work on a new world whose clock the test moves."""
    clock = VirtualClock()
    world = memory.create(clock) if target == "memory" else create_local_world(folder, clock=clock)
    async with asyncio.timeout(60), Application(world, Project.load(generated)):
        yield world, clock


async def see_through(world: World, clock: VirtualClock, run: Run[Any]) -> Any:
    """The result of a run; whenever it waits for nothing but time, time comes."""

    async def ended() -> bool:
        record = await world.get_run(run.run_id)
        assert record is not None
        assert record.parked is None, record.parked
        if record.completed_at is not None:
            return True
        events = await world.list_events(run.run_id)
        asked = {e.ref for e in events if e.type == "step_created" and "//never" not in e.name}
        answered = {e.ref for e in events if e.type in ("step_completed", "step_failed")}
        tasks = await world.list_tasks(run.run_id)
        later = {task.step_id: task.run_at for task in tasks if task.run_at > clock.now()}
        if asked - answered - later.keys():
            return False  # a step is at work
        times = [*later.values(), *([record.next_timer] if record.next_timer else [])]
        if times and min(times) > clock.now():
            clock.advance((min(times) - clock.now()) / 1_000_000)
        return False

    await until(world, ended, what="the end of the scenario")
    return await run.result(10)


def flow(name: str, module: str = MODULE) -> Any:
    """A workflow of the scenarios."""
    return getattr(sys.modules[module], name)


async def result_of(target: str, generated: Path, folder: Path, name: str, *args: Any) -> Any:
    """Run one scenario that needs nobody from outside."""
    async with stage(target, generated, folder) as (world, clock):
        return await see_through(world, clock, await start(flow(name), *args))


# The scenario, its arguments, its result or a question to it.
ALONE: list[tuple[str, tuple[Any, ...], Any]] = [
    ("add_ten", (123,), 133),
    ("promise_all", (), ["a", "b", "c"]),
    ("promise_race", (), "quick"),
    ("promise_any", (), "b"),
    ("sleep_wins_race", (), "sleep"),
    ("step_wins_race", (), "step"),
    ("sleep_with_sequential_steps", (), [0, 2, 4]),
    ("null_byte", (), "null \x00 byte"),
    ("retries", (), [3, 2]),
    ("fatal_is_caught", (), "caught: it failed"),
    ("stress", (), ["True"] * 20),
]


@pytest.mark.parametrize(("name", "args", "expected"), ALONE, ids=[row[0] for row in ALONE])
def test_scenario(
    name: str, args: tuple[Any, ...], expected: Any, target: str, generated: Path, tmp_path: Path
) -> None:
    """The run ends with the result of the scenario."""
    assert asyncio.run(result_of(target, generated, tmp_path, name, *args)) == expected


def test_parallel_sleep(target: str, generated: Path, tmp_path: Path) -> None:
    """Ten sleeps of a second at once take one second."""
    assert asyncio.run(result_of(target, generated, tmp_path, "parallel_sleep")) == 1


def test_sleep_in_loop(target: str, generated: Path, tmp_path: Path) -> None:
    """Each turn of the loop really waits."""
    assert asyncio.run(result_of(target, generated, tmp_path, "sleep_in_loop")) == [1, 2, 3]


def test_metadata(target: str, generated: Path, tmp_path: Path) -> None:
    """The body and its step are told the same run, and the step its attempt."""
    body, step = asyncio.run(result_of(target, generated, tmp_path, "metadata"))
    assert step == {**body, "attempt": 1}
    assert body["name"] == "metadata"


def test_idempotency(target: str, generated: Path, tmp_path: Path) -> None:
    """Ten and then a hundred steps at once: no body runs twice."""

    async def main() -> list[str]:
        async with stage(target, generated, tmp_path) as (world, clock):
            run = await start(flow("idempotency"))
            assert await see_through(world, clock, run) == 110
            calls: list[str] = sys.modules[MODULE].CALLS
            return [call for call in calls if call.startswith(run.run_id)]

    calls = asyncio.run(main())
    assert len(calls) == len(set(calls)) == 110


def test_hook_with_sleep(target: str, generated: Path, tmp_path: Path) -> None:
    """All payloads arrive while a sleep is pending, and the last one calls a step; afterwards
    nobody has the token."""

    async def main() -> Any:
        async with stage(target, generated, tmp_path) as (world, _):
            run = await start(flow("hook_with_sleep"), "the-token")

            async def open_hook() -> bool:
                return await world.get_hook("the-token") is not None

            await until(world, open_hook)
            for payload in ("first", {"second": 2}, "last"):
                await resume_hook("the-token", payload)
            found = await run.result(30)
            with pytest.raises(HookNotFoundError):
                await resume_hook("the-token", "too late")
            return found

    assert asyncio.run(main()) == ["first", {"second": 2}, "last", "final step"]


def test_same_names_in_two_files(target: str, generated: Path, tmp_path: Path) -> None:
    """Each file's workflow calls its own steps, and a step that it imports."""

    async def main() -> list[Any]:
        async with stage(target, generated, tmp_path) as (world, clock):
            flows = [flow("add_ten"), flow("add_ten", OTHER)]
            found = [await see_through(world, clock, await start(f, 23)) for f in flows]
            run = await start(flow("imported_step_only", OTHER))
            return [*found, await see_through(world, clock, run)]

    assert asyncio.run(main()) == [33, 13, "imported"]


def test_step_direct_call(generated: Path) -> None:
    """Outside of a workflow a step is the function that was written."""
    Project.load(generated)
    assert asyncio.run(flow("add")(1, 2)) == 3


def test_spawn_from_a_step(target: str, generated: Path, tmp_path: Path) -> None:
    """A step starts another run and awaits its result."""

    async def main() -> None:
        async with stage(target, generated, tmp_path) as (world, _):
            run = await start(flow("spawns_from_a_step"))
            child, result = await run.result(30)
            assert (child != run.run_id, result) == (True, 11)
            record = await world.get_run(child)
            assert record is not None
            assert record.status == "completed"

    asyncio.run(main())


def test_parallel_steps_then_webhook(target: str, generated: Path, tmp_path: Path) -> None:
    """Ten rounds of steps at once and a webhook: ten webhooks, no conflict, every body arrives."""

    async def main() -> None:
        async with stage(target, generated, tmp_path) as (world, _):
            run = await start(flow("parallel_steps_then_webhook"))
            seen: set[str] = set()
            for n in range(10):

                async def opened() -> str | None:
                    hooks = await world.list_hooks(run.run_id)
                    return next((h.token for h in hooks if h.token not in seen), None)

                token = await until(world, opened, what=f"webhook {n}")
                seen.add(token)
                body = json.dumps({"round": n}).encode()
                answer = await resume_webhook(token, Request("POST", "http://test/", body=body))
                assert answer.status == 202
            assert await run.result(30) == list(range(10))
            types = [event.type for event in await world.list_events(run.run_id)]
            assert types.count("hook_created") == 10
            assert "hook_conflict" not in types

    asyncio.run(main())

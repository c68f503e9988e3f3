"""`workflow.testing.settle`: a run as far as it gets by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.project import build, loaded
from workflow.api import get_run, resume_hook, start
from workflow.engine import Application
from workflow.errors import WorkflowRunNotFoundError
from workflow.runs import Run
from workflow.testing import VirtualClock, settle
from workflow.world.records import Parked
from workflow.worlds import memory

FLOWS = """
    import asyncio
    from workflow import RetryableError, create_hook, sleep
    from workflow.api import start

    done = []

    async def work(name: str) -> str:
        "use step"
        for _ in range(30):
            await asyncio.sleep(0)
        done.append(name)
        return name

    async def later() -> None:
        "use step"
        done.append("attempt")
        raise RetryableError("not yet", retry_after="1 hour")

    async def order() -> str:
        "use workflow"
        await work("first")
        answer = await create_hook(token="a")
        await work(answer)
        await sleep("1 day")
        return await work("last")

    async def asks() -> str:
        "use workflow"
        await work("child")
        return await create_hook(token="of the child")

    async def parent() -> str:
        "use workflow"
        answer = await (await start(asks))
        await work("parent")
        return answer + await create_hook(token="of the parent")

    async def tries() -> None:
        "use workflow"
        await later()
"""

Play = Callable[[Run[Any], VirtualClock, memory.MemoryWorld], Awaitable[None]]


def play(folder: Path, name: str, script: Play) -> list[str]:
    """Start a workflow and go through the script with it; the steps that were done."""
    project = build(folder, FLOWS)
    module = loaded(folder)

    async def main() -> None:
        clock = VirtualClock()
        world = memory.create(clock)
        async with Application(world, project), asyncio.timeout(60):
            await script(await start(getattr(module, name)), clock, world)

    asyncio.run(main())
    done: list[str] = module.done
    return done


def test_it_stops_where_somebody_or_time_is_needed(tmp_path: Path) -> None:
    """All steps that can be done are done, the open hooks are returned, and the clock stands."""

    async def script(run: Run[Any], clock: VirtualClock, world: memory.MemoryWorld) -> None:
        began = clock.now()
        [hook] = await settle(run)
        assert hook.token == "a"
        assert await settle(run) == (hook,)
        await resume_hook("a", "second")
        assert await settle(run) == (hook,)  # it would take another payload
        assert clock.now() == began
        assert await run.status == "running"
        clock.advance(86_400)
        assert await settle(run) == ()
        assert await run.status == "completed"

    assert play(tmp_path, "order", script) == ["first", "second", "last"]


def test_children_belong_to_it(tmp_path: Path) -> None:
    """Their work is waited for, and their hooks are returned."""

    async def script(run: Run[Any], clock: VirtualClock, world: memory.MemoryWorld) -> None:
        assert [hook.token for hook in await settle(run)] == ["of the child"]
        await resume_hook("of the child", "yes")
        assert [hook.token for hook in await settle(run)] == ["of the parent"]

    assert play(tmp_path, "parent", script) == ["child", "parent"]


def test_a_pause_before_a_retry_is_time(tmp_path: Path) -> None:
    """The attempt that is due in an hour is not waited for."""

    async def script(run: Run[Any], clock: VirtualClock, world: memory.MemoryWorld) -> None:
        assert await settle(run) == ()
        clock.advance(3600)
        assert await settle(run) == ()

    assert play(tmp_path, "tries", script) == ["attempt", "attempt"]


def test_a_parked_run_and_none(tmp_path: Path) -> None:
    """Both are errors."""

    async def script(run: Run[Any], clock: VirtualClock, world: memory.MemoryWorld) -> None:
        await settle(run)
        await resume_hook("a", "second")
        [claimed] = (await world.claim_runs("test", 1)).runs
        parked = Parked(code="test", reason="by hand")
        assert await world.park(run.run_id, "test", claimed.fence, parked)
        with pytest.raises(RuntimeError, match="parked: test: by hand"):
            await settle(run)
        with pytest.raises(WorkflowRunNotFoundError):
            await settle(get_run("wrun_none"))

    play(tmp_path, "order", script)

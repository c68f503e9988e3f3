"""`workflow.testing.finish`: whole runs without their waits."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.project import build, loaded
from workflow.api import get_run, resume_hook, with_options
from workflow.engine import Application
from workflow.errors import WorkflowRunFailedError, WorkflowRunNotFoundError
from workflow.runs import Run
from workflow.testing import VirtualClock, finish
from workflow.worlds import memory

FLOWS = """
    import asyncio
    from datetime import datetime
    from workflow import RetryableError, create_hook, sleep
    from workflow.api import start

    failures = [1, 2]

    async def work() -> str:
        "use step"
        if failures:
            failures.pop()
            raise RetryableError("not yet", retry_after="1 day")
        return "done"

    async def waits() -> list[str]:
        "use workflow"
        began = datetime.now()
        await asyncio.gather(sleep("7 days"), sleep("2 days"))
        said = [await work()]
        try:
            await create_hook(timeout="30 days")
        except TimeoutError:
            said.append("late")
        said.append(await create_hook(token="t"))
        return [*said, str((datetime.now() - began).days)]

    async def looks() -> str:
        "use step"
        for _ in range(50):
            await asyncio.sleep(0)
        return "seen"

    async def quick() -> str:
        "use workflow"
        return await looks()

    async def naps(days: int) -> int:
        "use workflow"
        await sleep(f"{days} days")
        if days > 1:
            return await (await start(naps, days - 1))
        return (datetime.now() - datetime(2025, 1, 1)).days

    async def parent() -> int:
        "use workflow"
        return await (await start(naps, 3))

    async def fails() -> None:
        "use workflow"
        await sleep("1 day")
        raise ValueError("no")
"""


def result_of(folder: Path, name: str, **options: Any) -> Any:
    project = build(folder, FLOWS)
    function = getattr(loaded(folder), name)

    async def main() -> Any:
        clock = VirtualClock()
        world = memory.create(clock)
        async with Application(world, project), asyncio.timeout(60):
            run: Run[Any] = await with_options(**options).start(function)

            async def resume() -> None:
                change = 0
                while await world.get_hook("t") is None:
                    change = await world.wait_for_change(change, None)
                await resume_hook("t", "resumed")

            if name == "waits":
                return (await asyncio.gather(finish(run, clock), resume()))[0]
            return await finish(run, clock)

    return asyncio.run(main())


def test_nothing_is_waited_for(tmp_path: Path) -> None:
    """Sleeps, retries, the timeout of a hook and a delayed start take no time; a hook waits for
    its payload, and the clock stands still meanwhile."""
    assert result_of(tmp_path, "waits", delay="5 days") == ["done", "late", "resumed", "39"]


def test_a_step_at_work_is_not_skipped(tmp_path: Path) -> None:
    """While a step runs, the clock does not move on to the deadline of its run."""
    assert result_of(tmp_path, "quick", deadline="1 day") == "seen"


def test_children_are_not_waited_for(tmp_path: Path) -> None:
    """The clock moves for what a child and a grandchild sleep, too."""
    assert result_of(tmp_path, "parent") == 6


def test_a_failure_is_raised(tmp_path: Path) -> None:
    """As by `run.return_value`."""
    with pytest.raises(WorkflowRunFailedError, match="ValueError: no"):
        result_of(tmp_path, "fails")


def test_a_run_that_is_not_there(tmp_path: Path) -> None:
    """An id that no run has is an error, and nothing is waited for."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        clock = VirtualClock()
        async with Application(memory.create(clock), project):
            await finish(get_run("wrun_none"), clock)

    with pytest.raises(WorkflowRunNotFoundError):
        asyncio.run(main())

"""Nothing leaves a turn before its append is in: no step begins that might not be recorded."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.project import Events, build, loaded
from workflow.api import start
from workflow.engine import Application
from workflow.engine.worker import Worker
from workflow.testing import VirtualClock
from workflow.world.records import Append, Appended
from workflow.worlds.memory import MemoryWorld

START = 1_700_000_000_000_000

FLOWS = """
    import asyncio

    from workflow import create_hook

    calls = []

    async def note(text: str) -> str:
        "use step"
        calls.append(text)
        return text

    async def main() -> str:
        "use workflow"
        return await note("one") + await note("two")

    async def hesitates() -> str:
        "use workflow"
        hook = create_hook(token="t")
        task = asyncio.create_task(note("given up"))
        await hook.get_conflict()
        task.cancel()
        await asyncio.wait([task])
        return "done"
"""


class Slow(MemoryWorld):
    """Takes its time with every append, and looks at what has happened meanwhile."""

    def __init__(self) -> None:
        super().__init__(VirtualClock(START))
        self.flows: Any = None
        self.calls_before: list[list[str]] = []
        self.refuse = False
        self.stops: Worker | None = None

    async def append(self, append: Append) -> Appended:
        called = any(event.type == "step_created" for event in append.events)
        for _ in range(50):  # whatever was started already, it begins now
            await asyncio.sleep(0)
        if called:
            self.calls_before.append(list(self.flows.calls))
        if self.stops is not None:
            self.stops.stopping = True
        if called and self.refuse:
            return Appended(ok=False)
        return await super().append(append)


def test_no_step_begins_before_its_call_is_recorded(tmp_path: Path) -> None:
    """Each body sees the append that decided it in the log."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        world = Slow()
        world.flows = loaded(tmp_path)
        async with Application(world, project):
            assert await (await start("main")).result(60) == "onetwo"
        assert world.calls_before == [[], ["one"]]

    asyncio.run(main())


def test_a_call_whose_append_was_refused_never_begins(tmp_path: Path) -> None:
    """Who has lost the run drops its turn, with all that it has decided."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        world = Slow()
        world.flows = loaded(tmp_path)
        world.refuse = True
        async with Application(world, project, worker=False):
            run = await start("main")
            worker = Worker(world, project)
            await worker.work_once()
            assert world.calls_before == [[]]
            assert world.flows.calls == []
            assert worker._cache == {}
            assert (await Events.of(world, run.run_id)).types() == ["run_created"]
            await worker.processes.close()

    asyncio.run(main())


def test_a_worker_that_is_asked_to_stop_during_the_append_begins_nothing(tmp_path: Path) -> None:
    """The step that it wanted to run itself is for others, as one that nobody has tried."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        world = Slow()
        world.flows = loaded(tmp_path)
        async with Application(world, project, worker=False):
            run = await start("main")
            worker = world.stops = Worker(world, project)
            await worker.work_once()
            assert world.flows.calls == []
            (task,) = await world.list_tasks(run.run_id)
            assert (task.attempt, task.owner) == (0, None)
            await worker.processes.close()

    asyncio.run(main())


def test_a_call_that_the_answer_to_the_append_makes_useless_never_begins(tmp_path: Path) -> None:
    """The world's answer to a hook comes with the append; the body gives the step up on it."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        world = Slow()
        world.flows = loaded(tmp_path)
        async with Application(world, project):
            run = await start("hesitates")
            assert await run.result(60) == "done"
            assert world.flows.calls == []
            assert await world.list_tasks(run.run_id) == ()

    asyncio.run(main())

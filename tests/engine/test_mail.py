"""When a turn takes the letters of its run: before waits that are due, all of them, and at once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.engine.test_versions import waiting
from tests.project import Events, build, ended, loaded
from workflow.api import start, with_options
from workflow.codec import Codec
from workflow.engine import Application, Project
from workflow.engine.worker import Worker
from workflow.testing import VirtualClock
from workflow.world.records import Append, Appended, Letter
from workflow.worlds import memory
from workflow.worlds.memory import MemoryWorld

START = 1_700_000_000_000_000

FLOWS = """
    import asyncio

    from workflow import create_hook

    gate = None

    async def asks(token: str) -> str:
        "use workflow"
        try:
            return await create_hook(token=token, timeout="5s")
        except TimeoutError:
            return "nobody came"

    async def counts(token: str, until: int) -> list[int]:
        "use workflow"
        heard = []
        async for payload in create_hook(token=token):
            heard.append(payload)
            if len(heard) == until:
                return heard

    async def held() -> None:
        "use step"
        await gate.wait()

    async def holds() -> None:
        "use workflow"
        await held()
"""


def payload(value: Any) -> Letter:
    return Letter(kind="hook_received", payload=Codec({}).encode(value))


async def given_up(world: MemoryWorld, project: Project, workflow: str, *arguments: Any) -> str:
    """The id of a run that waits for the hook "t" while no worker is there."""
    async with Application(world, project):
        run = await start(workflow, "t", *arguments)
        await waiting(world, "t")
    await world.open()
    return run.run_id


def test_a_letter_comes_before_a_wait_that_is_due(tmp_path: Path) -> None:
    """Somebody answered while no worker was there, and by now the time is over: the answer counts,
    as it does in every replay."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        clock = VirtualClock(START)
        world = memory.create(clock)
        run_id = await given_up(world, project, "asks")
        await world.post_to_token("t", payload("in time"))
        clock.advance(10)
        async with Application(world, project) as application:
            run = await ended(application, run_id)
            assert Codec({}).decode(run.output or b"") == "in time"

    asyncio.run(main())


def test_a_letter_does_not_come_before_a_deadline_that_has_passed(tmp_path: Path) -> None:
    """A run that nobody has looked at in time fails as it would have, whatever came since."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        clock = VirtualClock(START)
        world = memory.create(clock)
        async with Application(world, project):
            run = await with_options(deadline="1h").start("counts", "t", 1)
            await waiting(world, "t")
        await world.open()
        clock.advance(3601)
        await world.post_to_token("t", payload("too late"))
        async with Application(world, project) as application:
            record = await ended(application, run.run_id)
            assert (record.status, record.error_code) == ("failed", "deadline-exceeded")

    asyncio.run(main())


def test_more_letters_than_a_turn_reads_are_all_taken(tmp_path: Path) -> None:
    """One turn takes 256. The rest keeps the run due, though nothing new comes for it."""
    project = build(tmp_path, FLOWS)
    count = 600

    async def main() -> None:
        world = memory.create(VirtualClock(START))
        run_id = await given_up(world, project, "counts", count)
        for number in range(count):
            await world.post_to_token("t", payload(number))
        async with Application(world, project) as application:
            run = await ended(application, run_id)
            assert Codec({}).decode(run.output or b"") == list(range(count))

    asyncio.run(main())


class Interfering(MemoryWorld):
    """A cancel request arrives while the append of the first step call is under way."""

    async def append(self, append: Append) -> Appended:
        if any(event.type == "step_created" for event in append.events):
            await self.post(append.run_id, Letter(kind="cancel", meta=b'{"reason": "stop"}'))
        return await super().append(append)


def test_a_letter_that_comes_during_the_append_is_read_at_once(tmp_path: Path) -> None:
    """The answer to the append tells of it, also where no worker watches the world's changes: the
    step that is at work is stopped."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        world = Interfering(VirtualClock(START))
        loaded(tmp_path).gate = asyncio.Event()
        async with Application(world, project, worker=False):
            run = await start("holds")
            worker = Worker(world, project)
            async with asyncio.timeout(60):
                await worker.work_once()
            assert await run.status == "cancelled"
            assert (await Events.of(world, run.run_id)).types() == [
                "run_created",
                "step_created",
                "run_cancel_requested",
                "run_cancelled",
            ]
            await worker.processes.close()

    asyncio.run(main())

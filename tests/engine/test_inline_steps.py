"""Steps that the owner of a run works on itself: how many, how long, and who has them next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.project import Events, build, ended, loaded, until
from workflow.api import resume_hook, start
from workflow.engine import Application, session
from workflow.testing import VirtualClock
from workflow.world.records import Append, Appended
from workflow.worlds.memory import MemoryWorld

START = 1_700_000_000_000_000

FLOWS = """
    import asyncio

    from workflow import RetryableError, create_hook, get_step_metadata, sleep, step_options

    gate = None
    begun, stopped, attempts = [], [], []

    async def held(n: int) -> int:
        "use step"
        begun.append(n)
        try:
            await gate.wait()
        except asyncio.CancelledError:
            stopped.append(n)
            raise
        return n

    @step_options(max_retries=2)
    async def later() -> int:
        "use step"
        attempts.append(get_step_metadata().attempt)
        if len(attempts) < 3:
            raise RetryableError("not yet", retry_after=60)
        return len(attempts)

    async def impatient() -> str:
        "use workflow"
        try:
            await asyncio.wait_for(held(1), 5)
        except TimeoutError:
            pass
        await sleep(5)
        return "done"

    async def many(count: int) -> int:
        "use workflow"
        return sum(await asyncio.gather(*[held(n) for n in range(count)]))

    async def listens() -> list:
        "use workflow"
        task = asyncio.create_task(held(1))
        heard = await create_hook(token="t")
        return [heard, await task]

    async def patient() -> int:
        "use workflow"
        return await later()
"""


class Watched(MemoryWorld):
    """Keeps the appends that were accepted."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.appends: list[Append] = []

    async def append(self, append: Append) -> Appended:
        done = await super().append(append)
        if done.ok:
            self.appends.append(append)
        return done


Play = Callable[[Application, Watched, Any, VirtualClock], Awaitable[None]]


def play(folder: Path, act: Play) -> None:
    project = build(folder, FLOWS)
    clock = VirtualClock(START)

    async def main() -> None:
        world = Watched(clock)
        loaded(folder).gate = asyncio.Event()
        async with Application(world, project, grace=0.05) as application:
            await act(application, world, loaded(folder), clock)

    asyncio.run(main())


async def has_begun(flows: Any, count: int) -> None:
    async with asyncio.timeout(20):
        while len(flows.begun) < count:  # noqa: ASYNC110  # in memory: a matter of turns
            await asyncio.sleep(0)


def test_a_step_that_the_body_gives_up_is_stopped(tmp_path: Path) -> None:
    """Its body is cancelled as soon as that is recorded, while the run goes on."""

    async def act(app: Application, world: Watched, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.impatient)
        await has_begun(flows, 1)
        clock.advance(6)

        async def sleeps() -> bool:
            return (await Events.of(world, run.run_id)).types()[-1] == "wait_created"

        await until(world, sleeps)
        for _ in range(20):
            await asyncio.sleep(0)
        assert flows.stopped == [1]
        clock.advance(6)
        assert await run.result(20) == "done"
        assert "step_completed" not in (await Events.of(world, run.run_id)).types()

    play(tmp_path, act)


def test_the_owner_keeps_a_few_steps_and_hands_out_the_rest(tmp_path: Path) -> None:
    """A wide fan-out is for all workers; a run that has bodies at work is not given up."""

    async def act(app: Application, world: Watched, flows: Any, clock: VirtualClock) -> None:
        count = session.INLINE + 5
        run = await start(flows.many, count)
        await has_begun(flows, count)
        (first,) = world.appends
        assert len(first.add_tasks) == 5
        assert not first.release
        record = await world.get_run(run.run_id)
        assert record is not None
        assert record.owner is not None
        flows.gate.set()
        assert await run.result(20) == sum(range(count))
        assert sorted(flows.begun) == list(range(count))

    play(tmp_path, act)


def test_a_run_with_a_step_at_work_is_kept(tmp_path: Path) -> None:
    """A turn that comes meanwhile does not give it up: the next owner would begin the step anew."""

    async def act(app: Application, world: Watched, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.listens)
        await has_begun(flows, 1)
        await resume_hook("t", "heard")

        async def taken() -> bool:
            return "hook_received" in (await Events.of(world, run.run_id)).types()

        await until(world, taken)
        assert [append.release for append in world.appends] == [False, False]
        flows.gate.set()
        assert await run.result(20) == ["heard", 1]
        assert flows.begun == [1]

    play(tmp_path, act)


def test_a_later_attempt_is_a_task_that_waits_for_its_time(tmp_path: Path) -> None:
    """The first attempt counts, the next one is due when it asked to be."""

    async def act(app: Application, world: Watched, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.patient)
        for attempt in (1, 2):

            async def waits(attempt: int = attempt) -> bool:
                tasks = await world.list_tasks(run.run_id)
                return any(
                    task.attempt == attempt
                    and task.owner is None
                    and task.run_at == clock.now() + 60_000_000
                    for task in tasks
                )

            await until(world, waits, what=f"that attempt {attempt} has failed")
            for _ in range(50):
                await asyncio.sleep(0)
            assert flows.attempts == list(range(1, attempt + 1))
            clock.advance(60)
        assert (await ended(app, run.run_id)).status == "completed"
        assert flows.attempts == [1, 2, 3]

    play(tmp_path, act)

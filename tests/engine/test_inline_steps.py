"""Steps that the owner of a run works on itself: how many, how long, and who has them next."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.project import Events, build, ended, loaded, until
from workflow.api import resume_hook, start
from workflow.engine import Application, session
from workflow.engine.worker import Worker
from workflow.testing import VirtualClock
from workflow.world.records import Append, Appended
from workflow.worlds.memory import MemoryWorld

START = 1_700_000_000_000_000

FLOWS = """
    import asyncio

    from workflow import RetryableError, create_hook, get_step_metadata, get_writable, sleep
    from workflow import step_options

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

    async def writes() -> None:
        "use step"
        begun.append(0)
        await gate.wait()
        await get_writable().write("too late")

    async def streams() -> None:
        "use workflow"
        await writes()

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
    async with asyncio.timeout(60):
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
        assert await run.result(60) == "done"
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
        assert await run.result(60) == sum(range(count))
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
        assert await run.result(60) == ["heard", 1]
        assert flows.begun == [1]

    play(tmp_path, act)


def test_a_false_alarm_records_nothing(tmp_path: Path) -> None:
    """While a step is at work the owner is often told to look; that costs no commit."""

    async def act(app: Application, world: Watched, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.many, 1)
        await has_begun(flows, 1)
        assert app._worker is not None
        for _ in range(3):
            app._worker._sessions[run.run_id].look()
            for _ in range(20):
                await asyncio.sleep(0)
        assert len(world.appends) == 1
        flows.gate.set()
        assert await run.result(60) == 0

    play(tmp_path, act)


def test_the_body_of_a_run_that_is_over_is_stopped(tmp_path: Path) -> None:
    """The worker looks for runs that were terminated, or taken over while it was slow."""

    async def act(app: Application, world: Watched, flows: Any, clock: VirtualClock) -> None:
        kept = await start(flows.many, 1)
        await has_begun(flows, 1)
        run = await start(flows.impatient)
        await has_begun(flows, 2)
        await run.terminate("enough")
        assert app._worker is not None
        await app._worker._stop_lost()
        for _ in range(20):
            await asyncio.sleep(0)
        assert flows.stopped == [1], "the other run's goes on"
        assert run.run_id not in app._worker._sessions
        flows.gate.set()
        assert await kept.result(60) == 0

    play(tmp_path, act)


@asynccontextmanager
async def taken_over(world: Watched, app: Application, flows: Any) -> AsyncIterator[Worker]:
    """A worker begins the first step of a run, counts as dead, and another one claims the run.

    The body of the step goes on, and is let go on at the end; that changes nothing any more.
    """
    first, second = Worker(world, app.project), Worker(world, app.project)
    before = asyncio.create_task(first.work_once())
    await has_begun(flows, 1)
    await world.leave(first.id)
    yield second
    flows.gate.set()
    async with asyncio.timeout(60):
        await before
    for worker in (first, second):
        await worker.processes.close()


def apart(folder: Path, act: Play) -> None:
    """Like `play`, in a process that works on nothing by itself."""
    project = build(folder, FLOWS)
    clock = VirtualClock(START)

    async def main() -> None:
        world = Watched(clock)
        loaded(folder).gate = asyncio.Event()
        async with Application(world, project, worker=False) as application:
            await act(application, world, loaded(folder), clock)

    asyncio.run(main())


def test_the_step_of_a_dead_owner_is_handed_out_as_a_second_attempt(tmp_path: Path) -> None:
    """Its process may have died of it, so it counts, and it is not begun again at once; what the
    dead one's body returns after all is dropped."""

    async def act(app: Application, world: Watched, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.many, 1)
        async with taken_over(world, app, flows) as second:
            await second.work_once()
            (task,) = await world.list_tasks(run.run_id)
            assert (task.attempt, task.owner) == (1, None)
            assert task.run_at > clock.now()
            assert world.appends[-1].release
        assert (await Events.of(world, run.run_id)).types() == ["run_created", "step_created"]
        assert len(world.appends) == 2
        clock.advance(60)
        await second.work_once()
        await second.work_once()
        assert await run.result(60) == 0
        log = (await Events.of(world, run.run_id)).all
        assert b'"attempt":2' in (log[2].meta or b"")

    apart(tmp_path, act)


def test_a_body_that_hears_of_its_replacement_ends_its_session(tmp_path: Path) -> None:
    """Its write is refused, because the run is another worker's by now."""

    async def act(app: Application, world: Watched, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.streams)
        async with taken_over(world, app, flows) as second:
            await second.work_once()
        assert (await Events.of(world, run.run_id)).types() == ["run_created", "step_created"]

    apart(tmp_path, act)


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

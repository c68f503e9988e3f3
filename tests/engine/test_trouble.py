"""When things go wrong around a run: each of these once lost, hung or blamed something."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.project import Events, build, loaded, until
from workflow.api import resume_hook, start, with_options
from workflow.engine import Application
from workflow.errors import (
    StepCrashedError,
    WorkflowRunCancelledError,
    WorkflowRunFailedError,
    WorldError,
)
from workflow.testing import VirtualClock
from workflow.world.records import Append, Appended, Letter, NewRun, Parked, WorkerRecord
from workflow.worlds import memory
from workflow.worlds.memory import MemoryWorld

START = 1_700_000_000 * 1_000_000

FLOWS = """
    import asyncio
    import os

    from workflow import create_hook, set_attributes, sleep, step_options

    calls = []
    gate = None

    async def note(text: str) -> None:
        "use step"
        calls.append(text)
        await set_attributes({"last": text})

    @step_options(max_retries=0)
    async def once(text: str) -> str:
        "use step"
        calls.append(text)
        return text

    @step_options(max_retries=3, backoff=0)
    async def stuck(text: str) -> str:
        "use step"
        calls.append(text)
        if gate is not None and len(calls) == 1:
            await gate.wait()
        return text

    async def two() -> None:
        "use workflow"
        await stuck("one")
        await note("two")

    def stops() -> None:
        "use step"
        calls.append("stops")
        raise StopIteration("no")

    stops.max_retries = 0

    class Odd(Exception):
        code = 404

    async def annotated() -> str:
        "use workflow"
        await note("done")
        return "ok"

    async def race() -> str:
        "use workflow"
        tasks = [asyncio.create_task(sleep(d)) for d in ("1 day", "2 days")]
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        return f"{len(done)} {len(pending)}"

    async def stop_iteration() -> str:
        "use workflow"
        try:
            await stops()
        except RuntimeError as error:
            return str(error)
        return "fine"

    async def pay() -> str:
        "use workflow"
        return await once("paid")

    async def long() -> str:
        "use workflow"
        return await stuck("worked")

    async def oddly() -> None:
        "use workflow"
        raise Odd("odd")

    async def listens() -> list[str]:
        "use workflow"
        hook = create_hook(token="h")
        seen = []
        async for payload in hook:
            if payload == "first":
                await note("pause")
                hook.dispose()
            seen.append(payload)
        return seen
"""


def play(
    folder: Path,
    act: Callable[[Application, Any, VirtualClock], Awaitable[None]],
    world: Callable[[VirtualClock], MemoryWorld] = memory.create,
) -> None:
    project = build(folder, FLOWS)
    clock = VirtualClock(START)

    async def main() -> None:
        async with Application(world(clock), project) as application:
            await act(application, loaded(folder), clock)

    asyncio.run(main())


def test_attributes_of_the_last_step_are_kept(tmp_path: Path) -> None:
    """What a step set before the run ended is on the run."""

    async def act(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.annotated)
        assert await run.result(60) == "ok"
        assert await run.attributes == {"last": "done"}
        assert await app.world.list_letters(run.run_id) == ()

    play(tmp_path, act)


def test_wake_up_skips_sleeps_that_it_made_useless(tmp_path: Path) -> None:
    """The first sleep ends, the body cancels the second, and nothing diverges."""

    async def act(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.race)

        async def sleeps() -> bool:
            return (await Events.of(app.world, run.run_id)).types().count("wait_created") == 2

        await until(app.world, sleeps)
        await run.wake_up()
        assert await run.result(60) == "1 1"

    play(tmp_path, act)


def test_a_step_that_raises_stop_iteration_fails(tmp_path: Path) -> None:
    """A thread's future cannot carry StopIteration; the step fails with a RuntimeError."""

    async def act(app: Application, flows: Any, clock: VirtualClock) -> None:
        assert "StopIteration" in await (await start(flows.stop_iteration)).result(60)

    play(tmp_path, act)


def test_the_code_attribute_of_a_users_error_is_not_ours(tmp_path: Path) -> None:
    """Only our own errors give a run its error code."""

    async def act(app: Application, flows: Any, clock: VirtualClock) -> None:
        with pytest.raises(WorkflowRunFailedError) as caught:
            await (await start(flows.oddly)).result(60)
        assert caught.value.error_code == "user-error"

    play(tmp_path, act)


def test_payloads_before_a_dispose_are_still_delivered(tmp_path: Path) -> None:
    """Disposing a hook frees its token; what had arrived is not lost."""

    async def act(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.listens)

        async def open_hook() -> bool:
            return await app.world.get_hook("h") is not None

        await until(app.world, open_hook)
        await app.world.post_to_token("h", Letter(kind="hook_received", payload=payload("first")))
        await app.world.post_to_token("h", Letter(kind="hook_received", payload=payload("second")))
        assert await run.result(60) == ["first", "second"]

    def payload(text: str) -> bytes:
        from workflow.codec import Codec

        return Codec({}).encode(text)

    play(tmp_path, act)


class Unreliable(MemoryWorld):
    """A memory world whose connection breaks at chosen moments, before or after the commit."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.breaks: dict[str, str] = {}

    async def append(self, append: Append) -> Appended:
        for event in append.events:
            when = self.breaks.pop(event.type, None)
            if when == "before":
                raise WorldError("the connection broke before the commit")
            if when == "after":
                await super().append(append)
                raise WorldError("the connection broke after the commit")
        return await super().append(append)

    async def park(self, run_id: str, worker: str, fence: int, parked: Parked) -> bool:
        if self.breaks.pop("park", None):
            raise WorldError("the connection broke")
        return await super().park(run_id, worker, fence, parked)

    async def beat(self, worker: WorkerRecord) -> int:
        if self.breaks.pop("beat", None):
            raise OSError("out of file descriptors")
        return await super().beat(worker)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("event", ["step_created", "step_completed"])
def test_a_lost_reply_loses_no_result(tmp_path: Path, event: str, when: str) -> None:
    """The owner reads whether its append is in, records each result once, runs no body twice."""

    async def act(app: Application, flows: Any, clock: VirtualClock) -> None:
        assert isinstance(app.world, Unreliable)
        app.world.breaks[event] = when
        run = await start(flows.pay)
        assert await run.result(60) == "paid"
        assert flows.calls == ["paid"]
        log = await Events.of(app.world, run.run_id)
        assert log.types() == ["run_created", "step_created", "step_completed", "run_completed"]

    play(tmp_path, act, Unreliable)


def test_stopping_hands_a_step_over_without_counting_it(tmp_path: Path) -> None:
    """A step cut off by a graceful stop begins afresh elsewhere, as its first attempt."""
    project = build(tmp_path, FLOWS)
    flows = loaded(tmp_path)

    async def main() -> None:
        world = memory.create(VirtualClock(START))
        flows.gate = asyncio.Event()
        async with Application(world, project, grace=0.05):
            run = await start(flows.long)

            while flows.calls != ["worked"]:  # noqa: ASYNC110  # in memory: a matter of turns
                await asyncio.sleep(0)
        await world.open()
        (task,) = await world.list_tasks(run.run_id)
        assert (task.attempt, task.owner) == (0, None)
        flows.gate = None
        async with Application(world, project):
            assert await run.result(60) == "worked"
        await world.open()
        meta = (await Events.of(world, run.run_id)).all[-2].meta
        assert meta is not None
        assert b'"attempt":1' in meta

    asyncio.run(main())


def test_a_delayed_run_is_not_begun_by_a_nudge(tmp_path: Path) -> None:
    """It goes back to waiting, and a cancel ends it without its body."""

    async def act(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await with_options(delay="1 day").start(flows.annotated)
        await app.world.post(run.run_id, Letter(kind="nudge"))

        async def seen() -> bool:
            record = await app.world.get_run(run.run_id)
            return record is not None and record.mail == record.seen and record.owner is None

        await until(app.world, seen)
        assert await run.status == "pending"
        assert flows.calls == []
        await run.cancel("not needed")
        with pytest.raises(WorkflowRunCancelledError):
            await run.result(60)
        assert flows.calls == []

    play(tmp_path, act)


def test_hooks_work_again_after_a_conflict_is_over(tmp_path: Path) -> None:
    """A token that a finished run held can be used by the next one."""

    async def act(app: Application, flows: Any, clock: VirtualClock) -> None:
        for _ in range(2):
            run = await start(flows.listens)

            async def open_hook() -> bool:
                return await app.world.get_hook("h") is not None

            await until(app.world, open_hook)
            await resume_hook("h", "first")
            assert (await run.result(60))[0] == "first"

    play(tmp_path, act)


def test_a_run_that_kills_every_worker_ends_as_failed(tmp_path: Path) -> None:
    """Claims without an append are counted, and after a limit the run fails with its reason."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        world = memory.create(VirtualClock(START))
        async with Application(world, project, worker=False):
            run = await start(loaded(tmp_path).pay)
            for n in range(21):  # as many workers claim the run and die before they append
                assert (await world.claim_runs(f"dead-{n}", 1)).runs
                await world.leave(f"dead-{n}")
        async with Application(world, project):
            with pytest.raises(WorkflowRunFailedError, match="kills the worker") as caught:
                await run.result(60)
            assert caught.value.error_code == "crash-loop"
            assert loaded(tmp_path).calls == []

    asyncio.run(main())


def test_a_start_that_fails_leaves_the_world_closed(tmp_path: Path) -> None:
    """The storage is not held by an application that never came up."""
    project = build(tmp_path, FLOWS)
    world = Unreliable(VirtualClock(START))
    world.breaks["beat"] = "before"

    async def main() -> None:
        with pytest.raises(OSError, match="descriptors"):
            await Application(world, project).start()
        with pytest.raises(WorldError, match="closed"):
            await world.get_run("wrun_1")

    asyncio.run(main())


def test_parking_survives_a_broken_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that has to be parked is parked, even if the first try fails."""
    monkeypatch.setenv("WORKFLOW_PARK_MISSING_AFTER", "0")  # at once: nobody has the workflow
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        world = Unreliable(VirtualClock(START))
        world.breaks["park"] = "before"
        async with Application(world, project):
            created = await world.create(
                NewRun(run_id="wrun_1", workflow="workflow//nowhere", input=b"", meta=b"{}")
            )

            async def parked() -> bool:
                run = await world.get_run(created.run_id)
                return run is not None and run.parked is not None

            await until(world, parked)
        assert not world.breaks

    asyncio.run(main())


async def held(flows: Any) -> None:
    """Wait until the step has begun; it goes on when its gate is opened."""
    while flows.calls != ["one"]:  # noqa: ASYNC110  # in memory: a matter of turns
        await asyncio.sleep(0)


def test_a_terminated_run_goes_no_further(tmp_path: Path) -> None:
    """The owner's append is refused: no result is recorded and no further step begins."""
    project = build(tmp_path, FLOWS)
    flows = loaded(tmp_path)

    async def main() -> None:
        world = memory.create(VirtualClock(START))
        flows.gate = asyncio.Event()
        application = Application(world, project)
        await application.start()
        run = await start(flows.two)
        await held(flows)
        await run.terminate("enough")
        flows.gate.set()
        for _ in range(100):  # in memory: more than enough for the result and what follows it
            await asyncio.sleep(0)
        await application.stop()
        await world.open()
        log = await Events.of(world, run.run_id)
        assert log.types() == ["run_created", "step_created", "run_cancelled"]
        assert flows.calls == ["one"]

    asyncio.run(main())


def test_a_stopping_worker_begins_no_step(tmp_path: Path) -> None:
    """What the last result asks for is left to others, as a task nobody has tried."""
    project = build(tmp_path, FLOWS)
    flows = loaded(tmp_path)

    async def main() -> None:
        world = memory.create(VirtualClock(START))
        flows.gate = asyncio.Event()
        application = Application(world, project)
        await application.start()
        run = await start(flows.two)
        await held(flows)
        stopping = asyncio.create_task(application.stop())
        await asyncio.sleep(0)
        flows.gate.set()
        await stopping
        assert flows.calls == ["one"]
        await world.open()
        (task,) = await world.list_tasks(run.run_id)
        assert (task.name.rpartition("//")[2], task.attempt) == ("note", 0)

    asyncio.run(main())


def test_a_step_that_kills_its_workers_is_given_up(tmp_path: Path) -> None:
    """Attempts are counted when they are claimed; over the limit the step fails as crashed."""
    project = build(tmp_path, FLOWS)
    flows = loaded(tmp_path)

    async def main() -> None:
        world = memory.create(VirtualClock(START))
        flows.gate = asyncio.Event()
        async with Application(world, project, grace=0.05):
            run = await start(flows.two)
            await held(flows)
        await world.open()
        names = project.registry.steps.keys()
        for n in range(4):  # max_retries=3: four attempts, and every time the process dies
            assert await world.claim_tasks(f"dead-{n}", 1, names)
            await world.leave(f"dead-{n}")
        async with Application(world, project):
            with pytest.raises(WorkflowRunFailedError, match="process died") as caught:
                await run.result(60)
            assert isinstance(caught.value.__cause__, StepCrashedError)
        assert flows.calls == ["one"]

    asyncio.run(main())

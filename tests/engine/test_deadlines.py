"""Runs that have to be done by a moment. On every world, with real workers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.engine.serving import START, MakeWorld, serve
from tests.project import Events, build, loaded, until
from workflow.api import Run, get_run, start, with_options
from workflow.engine import Application
from workflow.errors import (
    DeadlineExceededError,
    WorkflowRunCancelledError,
    WorkflowRunFailedError,
)
from workflow.testing.clock import VirtualClock
from workflow.worlds import memory


async def logged(app: Application, run: Run[Any], *wanted: str) -> None:
    """Wait until the log of the run has ended with these types of events."""

    async def look() -> bool:
        types = (await Events.of(app.world, run.run_id)).types()
        return types[-len(wanted) :] == list(wanted)

    await until(app.world, look, what=f"the events {wanted}")


async def missed(run: Run[Any]) -> WorkflowRunFailedError:
    """The failure of a run that was not done in time."""
    with pytest.raises(WorkflowRunFailedError) as failed:
        await run.result(60)
    assert failed.value.error_code == "deadline-exceeded"
    assert isinstance(failed.value.__cause__, DeadlineExceededError)
    return failed.value


FLOWS = """
    import asyncio

    from workflow import create_hook, sleep
    from workflow.api import start, with_options

    async def note(text: str) -> str:
        "use step"
        return text

    async def naps(seconds: int) -> str:
        "use workflow"
        await sleep(seconds)
        return "slept"

    async def cleans() -> str:
        "use workflow"
        try:
            await sleep("1 day")
        finally:
            await note("clean")
        return "slept"

    async def stubborn() -> str:
        "use workflow"
        while True:
            try:
                await sleep("1 day")
            except asyncio.CancelledError:
                pass

    async def gives_in() -> str:
        "use workflow"
        try:
            await sleep("1 day")
        except asyncio.CancelledError:
            return await note("half of it")
        return "all"

    async def breaks() -> str:
        "use workflow"
        try:
            await sleep("1 day")
        finally:
            raise KeyError("broken")

    async def stuck() -> None:
        "use workflow"
        await asyncio.Event().wait()

    async def parent() -> str:
        "use workflow"
        child = await start(naps, 7200)
        await with_options(attributes={"kind": "short"}, deadline="10m").start(naps, 7200)
        return await child
"""


def test_a_run_that_is_too_late_fails(make_world: MakeWorld, tmp_path: Path) -> None:
    """At the deadline the body is stopped, though nothing of it was in memory."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await with_options(deadline="1h").start(flows.naps, 7200)
        await logged(app, run, "wait_created", "wait_created")
        assert await run.deadline == datetime.fromtimestamp(START + 3600, UTC)
        clock.advance(3601)
        failed = await missed(run)
        assert "was not done by its deadline, 2023-11-14T23:13:20+00:00" in str(failed)

    serve(make_world, tmp_path, FLOWS, play)


def test_a_run_that_is_done_in_time(make_world: MakeWorld, tmp_path: Path) -> None:
    """It completes, and the deadline changes nothing; nor does it for runs without one."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        by = datetime.fromtimestamp(START + 3600, UTC)
        run = await with_options(deadline=by).start(flows.naps, 60)
        other = await start(flows.naps, 60)
        await logged(app, run, "wait_created", "wait_created")
        await logged(app, other, "wait_created")
        clock.advance(61)
        assert await run.result(60) == await other.result(60) == "slept"
        assert (await run.deadline, await other.deadline) == (by, None)

    serve(make_world, tmp_path, FLOWS, play)


def test_a_body_may_clean_up(make_world: MakeWorld, tmp_path: Path) -> None:
    """`finally` runs durably after the deadline; so may a body return what it has."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await with_options(deadline="1h").start(flows.cleans)
        modest = await with_options(deadline="1h").start(flows.gives_in)
        broken = await with_options(deadline="1h").start(flows.breaks)
        for each in (run, modest, broken):
            await logged(app, each, "wait_created", "wait_created")
        clock.advance(3601)
        await missed(run)
        log = await Events.of(app.world, run.run_id)
        assert log.types()[-5:] == [
            *("wait_completed", "wait_created", "step_created", "step_completed", "run_failed")
        ]
        assert await modest.result(60) == "half of it"
        with pytest.raises(WorkflowRunFailedError, match="broken"):
            await broken.result(60)

    serve(make_world, tmp_path, FLOWS, play)


def test_a_body_that_does_not_stop(make_world: MakeWorld, tmp_path: Path) -> None:
    """After the grace the run ends without it: a minute, or what was given."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await with_options(deadline="1h").start(flows.stubborn)
        patient = await with_options(deadline="1h", grace="5m").start(flows.stubborn)
        for each in (run, patient):
            await logged(app, each, "wait_created", "wait_created")
        clock.advance(3600)
        for each in (run, patient):
            await logged(app, each, "wait_completed", "wait_created", "wait_created")
        clock.advance(61)
        await missed(run)
        assert await patient.status == "running"
        clock.advance(240)
        await missed(patient)

    serve(make_world, tmp_path, FLOWS, play)


def test_cancelled_before_its_deadline(make_world: MakeWorld, tmp_path: Path) -> None:
    """A run that was cancelled ends as cancelled, and not late."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await with_options(deadline="1h").start(flows.cleans)
        await logged(app, run, "wait_created", "wait_created")
        await run.cancel("enough")
        with pytest.raises(WorkflowRunCancelledError, match="enough"):
            await run.result(60)

    serve(make_world, tmp_path, FLOWS, play)


def test_a_deadline_is_nothing_to_wait_for(make_world: MakeWorld, tmp_path: Path) -> None:
    """A body that waits for nothing fails as blocked at once."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await with_options(deadline="1h").start(flows.stuck)
        with pytest.raises(WorkflowRunFailedError) as failed:
            await run.result(60)
        assert failed.value.error_code == "blocked"

    serve(make_world, tmp_path, FLOWS, play)


@pytest.mark.parametrize("make_world", ["local", "postgres"], indirect=True)
def test_a_run_that_no_worker_took_in_time(make_world: MakeWorld, tmp_path: Path) -> None:
    """It fails at its first turn, and none of its steps has run."""
    project = build(tmp_path, FLOWS)
    clock = VirtualClock(START * 1_000_000)
    world = make_world(clock)

    async def main() -> None:
        async with Application(world, project, worker=False):
            run = await with_options(deadline="1h").start(loaded(tmp_path).naps, 60)
        clock.advance(4000)
        async with Application(world, project) as app:
            await missed(get_run(run.run_id))
            assert "step_created" not in (await Events.of(app.world, run.run_id)).types()

    asyncio.run(main())


def test_children_have_deadlines_of_their_own(make_world: MakeWorld, tmp_path: Path) -> None:
    """A parent's deadline leaves its children alone; a child may be given one."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await with_options(deadline="1h").start(flows.parent)
        await logged(app, run, "child_created", "child_created")
        log = await Events.of(app.world, run.run_id)
        first, short = (get_run(e.ref) for e in log.all if e.type == "child_created")
        for child, waits in ((first, 1), (short, 2)):
            await logged(app, child, *["wait_created"] * waits)
        assert await short.deadline == datetime.fromtimestamp(START + 600, UTC)
        clock.advance(601)
        await missed(short)
        clock.advance(3000)
        await missed(run)
        assert await first.status == "running"
        clock.advance(3600)
        assert await first.result(60) == "slept"

    serve(make_world, tmp_path, FLOWS, play)


def test_deadlines_that_make_no_sense(tmp_path: Path) -> None:
    """They are refused when the run is started."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        past = datetime.fromtimestamp(START - 1, UTC)
        with pytest.raises(ValueError, match="is over already"):
            await with_options(deadline=past).start(flows.naps, 1)
        with pytest.raises(ValueError, match="over before the run begins"):
            await with_options(delay="1h", deadline="30m").start(flows.naps, 1)
        with pytest.raises(ValueError, match="give both"):
            await with_options(grace="30m").start(flows.naps, 1)
        with pytest.raises(TypeError, match="no time zone"):
            await with_options(deadline=datetime(2030, 1, 1)).start(flows.naps, 1)
        run = await with_options(delay="1h", deadline=timedelta(hours=2)).start(flows.naps, 1)
        assert await run.deadline == datetime.fromtimestamp(START + 7200, UTC)

    serve(lambda clock: memory.create(clock), tmp_path, FLOWS, play)

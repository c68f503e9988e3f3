"""What the options of a step do when it runs: attempts, times, threads, cancellation."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.project import build, loaded, until
from workflow.api import start
from workflow.engine import Application
from workflow.engine.threads import Threads
from workflow.errors import ContextError, StepTimeoutError, WorkflowRunFailedError
from workflow.testing.clock import VirtualClock
from workflow.worlds import memory

START = 1_700_000_000

FLOWS = """
import asyncio
import threading
from datetime import UTC, datetime, timedelta

from workflow import (
    Backoff, FatalError, RetryableError, get_step_metadata, sleep, step_options,
)

calls = []
released = threading.Event()
began = threading.Event()
ended = threading.Event()

AFTER = {
    "seconds": 90,
    "text": "90s",
    "timedelta": timedelta(seconds=90),
    "datetime": datetime.fromtimestamp(1_700_000_090, UTC),
}


async def later(how: str) -> str:
    "use step"
    calls.append(get_step_metadata().attempt)
    if len(calls) == 1:
        raise RetryableError("later", retry_after=AFTER[how])
    return "done"


@step_options(backoff=0)
async def naps_in_vain() -> None:
    "use step"
    calls.append(get_step_metadata().attempt)
    await sleep(1)


@step_options(backoff=0, run_in="process", max_retries=1)
def naps_elsewhere() -> None:
    "use step"
    asyncio.run(sleep(1))


async def sleepy(elsewhere: bool) -> None:
    "use workflow"
    await (naps_elsewhere() if elsewhere else naps_in_vain())


@step_options(backoff=0, max_retries=1)
async def unreadable() -> None:
    "use step"
    after = "soon"  # the build would see it in the call
    raise RetryableError("later", retry_after=after)


async def reads() -> None:
    "use workflow"
    await unreadable()


async def wait_and_see(how: str) -> str:
    "use workflow"
    return await later(how)


@step_options(max_retries=5, backoff=Backoff(initial="2s", factor=3, max="10s", jitter=0.5))
async def slower_and_slower() -> None:
    "use step"
    calls.append(get_step_metadata().attempt)
    raise ConnectionError("no")


async def backs_off() -> None:
    "use workflow"
    await slower_and_slower()


async def at_once() -> int:
    "use step"
    calls.append(get_step_metadata().step_id)
    if len(calls) < 4:
        raise ConnectionError("no")
    return len(calls)


at_once.backoff = 0
at_once.max_retries = 3


async def eager() -> int:
    "use workflow"
    return await at_once()


@step_options(max_retries=0)
async def single() -> None:
    "use step"
    calls.append(1)
    raise ConnectionError("no")


async def tries_once() -> str:
    "use workflow"
    try:
        await single()
    except ConnectionError as error:
        return f"failed: {error}"
    return "not reached"


@step_options(max_retries=0, timeout=0.5)
def blocked() -> None:
    "use step"
    began.set()
    released.wait(60)
    ended.set()


@step_options(max_retries=0, timeout=0.5)
async def waiting() -> None:
    "use step"
    try:
        await asyncio.sleep(30)
    finally:
        calls.append("cleaned up")


async def too_long(kind: str) -> None:
    "use workflow"
    await (blocked() if kind == "thread" else waiting())


@step_options(max_retries=0)
def holds() -> None:
    "use step"
    began.set()
    released.wait(60)
    ended.set()


@step_options(max_retries=0)
async def cancelled() -> None:
    "use step"
    began.set()
    try:
        await asyncio.sleep(30)
    except asyncio.CancelledError:
        calls.append("cancelled")
        raise


async def stops(kind: str) -> None:
    "use workflow"
    await (holds() if kind == "thread" else cancelled())


async def inner(n: int) -> dict:
    "use step"
    calls.append(n)
    return {"id": get_step_metadata().step_id, "n": n + 1}


async def outer(n: int) -> dict:
    "use step"
    return {"own": get_step_metadata().step_id, "inner": await inner(n)}


async def nests(n: int) -> dict:
    "use workflow"
    return await outer(n)
"""

Play = Callable[[Application, Any, VirtualClock], Awaitable[None]]


def serve(folder: Path, play: Play) -> None:
    """Build the flows and work on them, with a clock that `play` moves."""
    project = build(folder, FLOWS)
    clock = VirtualClock(START * 1_000_000)

    async def main() -> None:
        async with Application(memory.create(clock), project, grace=0.1) as application:
            await play(application, loaded(folder), clock)

    asyncio.run(main())


async def due(app: Application, run: Any, attempt: int) -> float:
    """Seconds until the attempt after number `attempt`, once that has failed."""

    async def look() -> int | None:
        tasks = await app.world.list_tasks(run.run_id)
        return next((t.run_at for t in tasks if t.owner is None and t.attempt == attempt), None)

    return (await until(app.world, look) - app.world.now()) / 1_000_000


@pytest.mark.parametrize("how", ["seconds", "text", "timedelta", "datetime"])
def test_retry_after_in_all_its_forms(how: str, tmp_path: Path) -> None:
    """Whatever form RetryableError is given the time in, the next attempt happens then."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.wait_and_see, how)
        assert await due(app, run, 1) == 90
        clock.advance(89)
        assert flows.calls == [1]
        clock.advance(2)
        assert await run.result(60) == "done"
        assert flows.calls == [1, 2]

    serve(tmp_path, play)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_what_only_a_body_can_do_is_no_reason_to_retry(elsewhere: bool, tmp_path: Path) -> None:
    """A step that calls `sleep()` fails at the first attempt, with what to write instead."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.sleepy, elsewhere)
        with pytest.raises(WorkflowRunFailedError) as caught:
            await run.result(60)
        assert isinstance(caught.value.__cause__, ContextError)
        assert "In a step use asyncio.sleep()" in str(caught.value)
        (failed,) = [e for e in await app.world.list_events(run.run_id) if e.type == "step_failed"]
        assert msgspec.json.decode(failed.meta or b"")["attempt"] == 1

    serve(tmp_path, play)


def test_an_unreadable_retry_after_is_told(tmp_path: Path, caplog: Any) -> None:
    """What cannot be read falls back to the back-off, and the log says which step gave it."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.reads)
        with pytest.raises(WorkflowRunFailedError):
            await run.result(60)

    serve(tmp_path, play)
    told = [r.getMessage() for r in caplog.records if "was ignored" in r.getMessage()]
    assert len(told) == 1
    assert told[0].startswith(
        "the step unreadable, attempt 1: retry_after was ignored: 'soon' is not a"
    )


def test_the_waiting_grows_up_to_its_ceiling(tmp_path: Path) -> None:
    """Each wait is the factor longer than the one before, less a random share, up to the most."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.backs_off)
        for attempt, longest in enumerate([2, 6, 10, 10, 10], start=1):
            waits = await due(app, run, attempt)
            assert longest / 2 <= waits <= longest
            clock.advance(waits + 0.001)
        with pytest.raises(WorkflowRunFailedError):
            await run.result(60)
        assert flows.calls == [1, 2, 3, 4, 5, 6]

    serve(tmp_path, play)


def test_no_back_off_and_no_retry(tmp_path: Path) -> None:
    """`backoff = 0` tries again at once, under one step id; `max_retries=0` does not try again."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        assert await (await start(flows.eager)).result(60) == 4
        assert len(set(flows.calls)) == 1
        flows.calls.clear()
        assert await (await start(flows.tries_once)).result(60) == "failed: no"
        assert flows.calls == [1]

    serve(tmp_path, play)


@pytest.mark.parametrize("kind", ["thread", "coroutine"])
def test_a_time_out_ends_the_attempt(kind: str, tmp_path: Path) -> None:
    """A coroutine is cancelled and cleans up; a thread goes on, and the error says so."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.too_long, kind)
        with pytest.raises(WorkflowRunFailedError) as caught:
            await run.result(60)
        error = caught.value.__cause__
        assert isinstance(error, StepTimeoutError)
        assert "ran longer than its timeout of 0.5 s" in str(error)
        if kind == "thread":
            assert "its thread goes on until the function returns" in str(error)
            assert not flows.ended.is_set()
            flows.released.set()
            assert flows.ended.wait(60)
        else:
            assert flows.calls == ["cleaned up"]
        assert await run.status == "failed"

    serve(tmp_path, play)


@pytest.mark.fault("F22")
@pytest.mark.parametrize("kind", ["thread", "coroutine"])
def test_cancelling_a_run_cancels_its_steps(kind: str, tmp_path: Path) -> None:
    """The step's coroutine sees CancelledError; a thread's result is dropped when it comes."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.stops, kind)
        await asyncio.to_thread(flows.began.wait, 60)
        await run.cancel("enough")

        async def look() -> bool:
            return (await run.status) == "cancelled"

        await until(app.world, look)
        if kind == "thread":
            flows.released.set()
            assert await asyncio.to_thread(flows.ended.wait, 60)
        else:
            assert flows.calls == ["cancelled"]
        types = [event.type for event in await app.world.list_events(run.run_id)]
        assert "step_completed" not in types
        assert types[-1] == "run_cancelled"

    serve(tmp_path, play)


def test_a_step_called_by_a_step_is_a_function(tmp_path: Path) -> None:
    """It is not recorded on its own, and has the metadata of the step that called it."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.nests, 1)
        found = await run.result(60)
        assert found["inner"] == {"id": found["own"], "n": 2}
        types = [event.type for event in await app.world.list_events(run.run_id)]
        assert types.count("step_created") == 1

    serve(tmp_path, play)


def test_threads_are_used_again_and_bounded() -> None:
    """No more threads than allowed; work that is cancelled before its turn does not begin."""
    threads, gate, seen = Threads(2), threading.Event(), []

    def work(n: int) -> int:
        gate.wait(60)
        seen.append(threading.current_thread().name)
        return n

    futures = [threads.submit(lambda n=n: work(n)) for n in range(6)]  # type: ignore[misc]
    assert futures[5].cancel()
    gate.set()
    assert [future.result(60) for future in futures[:5]] == [0, 1, 2, 3, 4]
    assert len(seen) == 5
    assert len(set(seen)) <= 2
    failing = threads.submit(lambda: 1 // 0)
    assert isinstance(failing.exception(60), ZeroDivisionError)


HANGS = """
import asyncio
import threading

import hanging
from workflow.api import start
from workflow.engine import Application, Project
from workflow.worlds import memory


async def main():
    app = Application(memory.create(), Project.load("generated"), grace=0.1)
    await app.start()
    await start(hanging.flow)
    await asyncio.to_thread(hanging.began.wait, 30)
    await app.stop()
    print("stopped")


asyncio.run(main())
"""

HANGING = """
import threading
import time

began = threading.Event()


def hangs() -> None:
    "use step"
    began.set()
    time.sleep(3600)


async def flow() -> None:
    "use workflow"
    await hangs()
"""


def test_a_step_that_hangs_does_not_keep_the_worker_from_ending(tmp_path: Path) -> None:
    """The process of a worker that was stopped ends, although a thread is still in a step."""
    build(tmp_path, HANGING, name="hanging")
    (tmp_path / "script.py").write_text(HANGS)
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "stopped\n"), done.stderr

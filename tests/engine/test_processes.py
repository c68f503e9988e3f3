"""Steps with run_in="process": real processes, real crashes."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.project import build, loaded, until
from workflow.api import start
from workflow.engine import Application
from workflow.engine.processes import size_of
from workflow.errors import (
    FatalError,
    StepCrashedError,
    StepTimeoutError,
    WorkflowRunFailedError,
)
from workflow.worlds import memory

FLOWS = '''
import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from workflow import (
    FatalError, RetryableError, get_step_metadata, get_workflow_metadata, get_writable,
    set_attributes, sleep, step_options,
)
from workflow.api import get_run, start

log = logging.getLogger("shop.pictures")
loaded_in = os.getpid()


@step_options(run_in="process")
def where(data: bytes) -> dict:
    """A plain function, with its metadata."""
    "use step"
    step, run = get_step_metadata(), get_workflow_metadata()
    return {
        "pid": os.getpid(), "loaded": loaded_in, "size": len(data), "step": step.step_name,
        "attempt": step.attempt, "id": step.step_id, "run": run.workflow_run_id,
        "workflow": run.workflow_name, "main": sys.modules["__main__"].__name__,
    }


async def asynchronous() -> int:
    """A coroutine function."""
    "use step"
    await asyncio.sleep(0)
    return os.getpid()


asynchronous.run_in = "process"


async def facts(data: bytes) -> list:
    "use workflow"
    return [await where(data), await asynchronous()]


@step_options(run_in="process", max_retries=2, backoff=0)
def dies(folder: str, how: str) -> str:
    """Dies at the first two attempts."""
    "use step"
    if get_step_metadata().attempt < 3:
        log.warning("about to end: %s", how)
        if how == "exit":
            os._exit(3)
        if how == "segfault":
            import faulthandler
            faulthandler.disable()
            os.kill(os.getpid(), signal.SIGSEGV)
        os.kill(os.getpid(), signal.SIGKILL)
    return f"lived at {get_step_metadata().attempt}"


async def survives(folder: str, how: str) -> str:
    "use workflow"
    return await dies(folder, how)


@step_options(run_in="process", max_retries=0)
def always_dies() -> None:
    "use step"
    os._exit(7)


async def crashes() -> None:
    "use workflow"
    await always_dies()


@step_options(run_in="process", max_retries=0)
def stuck(folder: str) -> None:
    """Neither gives the interpreter back nor comes to an end, and has a child that does so, too."""
    "use step"
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(folder, "pids").write_text(f"{os.getpid()} {child.pid}")
    while True:
        sum(range(10000))


@step_options(run_in="process", max_retries=0, timeout="2s")
def too_slow(folder: str) -> None:
    "use step"
    return stuck(folder)


async def timed_out(folder: str) -> None:
    "use workflow"
    await too_slow(folder)


async def waits(folder: str) -> None:
    "use workflow"
    await stuck(folder)


class OwnError(Exception):
    pass


@step_options(run_in="process", max_retries=1, backoff=0)
def wrong(kind: str) -> object:
    "use step"
    print("attempt", get_step_metadata().attempt, kind)
    if kind == "fatal":
        raise FatalError("for good")
    if kind == "own":
        raise OwnError("mine")
    if kind == "later":
        raise RetryableError("later", retry_after="1h")
    if kind == "exit":
        sys.exit(4)
    kept = [lambda: 1]
    return kept


async def fails(kind: str) -> object:
    "use workflow"
    return await wrong(kind)


@step_options(run_in="process")
async def speaks() -> list:
    """Streams, attributes, logs and other runs."""
    "use step"
    out = get_writable(namespace="lines")
    for line in ("one", "two"):
        await out.write(line)
    await out.close()
    await set_attributes({"colour": "blue"})
    log.info("painted %s", "blue", extra={"odd": lambda: 1})
    logging.getLogger("shop.quiet").info("not wanted")
    other = await start(small, 20)
    value = await other.return_value
    assert await get_run(other.run_id).status == "completed"
    return [value, other.run_id]


async def small(n: int) -> int:
    "use workflow"
    return n + 1


async def talks() -> list:
    "use workflow"
    return await speaks()


@step_options(run_in="process")
async def streaming():
    "use step"
    async def lines():
        yield "a"
    return lines()


async def streams() -> object:
    "use workflow"
    return await streaming()


async def produces():
    "use step"
    async def lines():
        for n in range(3):
            yield f"line {n}"
    return lines()


@step_options(run_in="process")
async def reads(lines) -> list:
    "use step"
    return [line async for line in lines]


async def passes_on() -> list:
    """A stream that one step returned is read by another one in a process."""
    "use workflow"
    return await reads(await produces())


async def outer(factor: int) -> list:
    "use workflow"

    @step_options(run_in="process")
    def nested(n: int) -> list:
        "use step"
        return [n * factor, os.getpid(), where_plain()]

    return await asyncio.gather(*[nested(n) for n in range(4)])


def where_plain() -> int:
    return where.__wrapped__ if hasattr(where, "__wrapped__") else 1


@step_options(run_in="process")
def calls_another() -> int:
    """A step that calls a step calls a function, in its own process."""
    "use step"
    return where(b"abc")["pid"] - os.getpid()


async def step_in_step() -> int:
    "use workflow"
    return await calls_another()
'''

Play = Callable[[Application, Any], Awaitable[None]]


def serve(folder: Path, play: Play) -> None:
    """Build the flows, work on them, and let `play` do the rest. No process stays behind."""
    project = build(folder, FLOWS)

    async def main() -> None:
        async with Application(memory.create(), project, grace=0.1) as application:
            await play(application, loaded(folder))

    asyncio.run(main())


def failure(error: WorkflowRunFailedError) -> BaseException:
    """What the workflow failed with."""
    assert error.__cause__ is not None
    return error.__cause__


async def failed(run: Any) -> BaseException:
    """The error a run ends with."""
    with pytest.raises(WorkflowRunFailedError) as caught:
        await run.result(60)
    return failure(caught.value)


def gone(pid: int) -> bool:
    """Whether a process has ended; one that waits for its parent to notice has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_the_body_runs_elsewhere_with_its_metadata(tmp_path: Path) -> None:
    """Plain and coroutine functions run in one process that is used again, and know their run."""

    async def play(app: Application, flows: Any) -> None:
        data = os.urandom(3_000_000)  # more than a socket holds
        run = await start(flows.facts, data)
        about, second = await run.result(60)
        assert about["pid"] == about["loaded"] == second != os.getpid()
        assert (about["size"], about["step"], about["attempt"]) == (3_000_000, "where", 1)
        assert (about["run"], about["workflow"]) == (run.run_id, "facts")
        assert about["id"].startswith("step_")
        flows.pid = about["pid"]

    serve(tmp_path, play)
    assert gone(loaded(tmp_path).pid), "the process outlived the application"


@pytest.mark.parametrize(
    ("how", "what"),
    [("exit", "exit status 3"), ("segfault", "SIGSEGV"), ("kill", "SIGKILL, as it is when memory")],
)
def test_a_crash_is_an_attempt_that_failed(
    how: str, what: str, tmp_path: Path, caplog: Any
) -> None:
    """A process that dies costs one attempt, which is counted; what it logged before is kept."""

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.survives, str(tmp_path), how)
        kept = []

        async def look() -> bool:
            kept.extend([t.error for t in await app.world.list_tasks(run.run_id) if t.error])
            return (await run.status) == "completed"

        await until(app.world, look)
        assert await run.result(60) == "lived at 3"
        errors = [app.codec.decode_error(each) for each in kept]
        assert errors
        assert all(isinstance(error, StepCrashedError) for error in errors)
        assert what in str(errors[0])
        assert "dies" in str(errors[0])

    serve(tmp_path, play)
    said = [r.getMessage() for r in caplog.records if r.name == "shop.pictures"]
    assert said == [f"about to end: {how}"] * 2


def test_a_step_that_always_crashes_fails_with_its_name(tmp_path: Path) -> None:
    """When no attempt is left the body gets StepCrashedError, which says how the process ended."""

    async def play(app: Application, flows: Any) -> None:
        error = await failed(await start(flows.crashes))
        assert isinstance(error, StepCrashedError)
        assert str(error) == "the process that ran always_dies has ended with the exit status 7"

    serve(tmp_path, play)


async def pids_of(folder: Path) -> list[int]:
    async with asyncio.timeout(60):
        while not (folder / "pids").exists() or not (folder / "pids").read_text():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return [int(pid) for pid in (folder / "pids").read_text().split()]


async def all_gone(pids: list[int]) -> None:
    async with asyncio.timeout(60):
        while not all(gone(pid) for pid in pids):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def test_a_time_out_kills_the_process_and_what_it_started(tmp_path: Path) -> None:
    """A step that never yields is ended at its time-out, with its own child processes."""

    async def play(app: Application, flows: Any) -> None:
        assert await (await start(flows.small, 1)).result(60) == 2  # now there is a process
        error = await failed(await start(flows.timed_out, str(tmp_path)))
        assert isinstance(error, StepTimeoutError)
        assert "too_slow ran longer than its timeout of 2 s, and its process was killed" in str(
            error
        )
        await all_gone(await pids_of(tmp_path))

    serve(tmp_path, play)


def test_cancelling_a_run_kills_the_process(tmp_path: Path) -> None:
    """The worker's loop is free while the step computes, and a cancelled run's process ends."""

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.waits, str(tmp_path))
        pids = await pids_of(tmp_path)
        quick = await start(flows.small, 1)
        assert await quick.result(60) == 2  # while the step computes
        await run.cancel("enough")
        await all_gone(pids)

    serve(tmp_path, play)


def test_stopping_the_worker_ends_the_process(tmp_path: Path) -> None:
    """A worker that stops does not leave a step's process behind."""

    async def play(app: Application, flows: Any) -> None:
        await start(flows.waits, str(tmp_path))
        flows.pids = await pids_of(tmp_path)

    serve(tmp_path, play)
    asyncio.run(all_gone(loaded(tmp_path).pids))


def test_errors_come_back_with_their_lines(tmp_path: Path, capfd: Any) -> None:
    """Errors keep class, message and traceback; the ways of not retrying work as elsewhere."""

    async def play(app: Application, flows: Any) -> None:
        fatal = await failed(await start(flows.fails, "fatal"))
        assert (type(fatal), str(fatal)) == (FatalError, "for good")
        own = await failed(await start(flows.fails, "own"))
        assert "OwnError" in f"{own!r} {getattr(own, 'type_name', '')}"
        text = getattr(own, "workflow_traceback", "")
        assert 'raise OwnError("mine")' in text
        assert "processes/main.py" not in text
        gave_up = await failed(await start(flows.fails, "exit"))
        assert "SystemExit" in f"{gave_up!r} {getattr(gave_up, 'type_name', '')}"
        value = await failed(await start(flows.fails, "lambda"))
        assert "result" in str(value)
        later = await start(flows.fails, "later")

        async def look() -> int | None:
            tasks = await app.world.list_tasks(later.run_id)
            return tasks[0].run_at if tasks and tasks[0].owner is None else None

        due = await until(app.world, look)
        assert 3500 < (due - app.world.now()) / 1_000_000 < 3700

    serve(tmp_path, play)
    said = capfd.readouterr().out
    assert said.count("fatal") == 1
    assert said.count("lambda") == 1
    assert said.count("own") == 2
    assert said.count("exit") == 2


def test_streams_attributes_logs_and_runs_work_inside(tmp_path: Path, caplog: Any) -> None:
    """What a step's body may do elsewhere, it may do in a process, through its worker."""
    logging.getLogger("shop").setLevel(logging.INFO)
    logging.getLogger("shop.quiet").setLevel(logging.WARNING)

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.talks)
        value, other = await run.result(60)
        assert value == 21
        assert other.startswith("wrun_")
        assert [line async for line in run.get_readable(namespace="lines")] == ["one", "two"]
        assert (await run.attributes)["colour"] == "blue"
        found = await (await start(flows.passes_on)).result(60)
        assert found == ["line 0", "line 1", "line 2"]
        error = await failed(await start(flows.streams))
        assert "a step that runs in a process cannot return a stream of its own" in str(error)

    try:
        serve(tmp_path, play)
    finally:
        logging.getLogger("shop").setLevel(logging.NOTSET)
        logging.getLogger("shop.quiet").setLevel(logging.NOTSET)
    said = [r for r in caplog.records if r.name.startswith("shop")]
    assert [r.getMessage() for r in said] == ["painted blue"]
    assert said[0].process != os.getpid()


def test_nested_steps_and_steps_in_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A nested step is found with its captured variables, and the pool is no larger than set."""
    monkeypatch.setenv("WORKFLOW_PROCESSES", "2")

    async def play(app: Application, flows: Any) -> None:
        found = await (await start(flows.outer, 10)).result(60)
        assert [each[0] for each in found] == [0, 10, 20, 30]
        assert len({each[1] for each in found}) <= 2
        assert os.getpid() not in {each[1] for each in found}
        assert await (await start(flows.step_in_step)).result(60) == 0

    serve(tmp_path, play)


def test_what_cannot_be_loaded_is_a_failed_attempt(tmp_path: Path) -> None:
    """A build that has become stale since the worker started fails the step, and says so."""

    async def play(app: Application, flows: Any) -> None:
        source = Path(flows.__file__)
        source.write_text(source.read_text() + "\n# changed\n")
        error = await failed(await start(flows.crashes))
        assert isinstance(error, StepCrashedError)
        assert "no process for always_dies" in str(error)
        assert "run `wfc build`" in str(error)

    serve(tmp_path, play)


def test_the_size_of_the_pool() -> None:
    """The number of usable cores, or what is set; nonsense is named."""
    assert size_of({}) == len(os.sched_getaffinity(0))
    assert size_of({"WORKFLOW_PROCESSES": "3"}) == 3
    for wrong in ("0", "many", "-1", "1000"):
        with pytest.raises(ValueError, match=f"WORKFLOW_PROCESSES is '{wrong}'"):
            size_of({"WORKFLOW_PROCESSES": wrong})

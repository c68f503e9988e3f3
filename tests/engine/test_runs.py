"""Runs from start to end, on the memory world and on SQLite, with a clock that tests move."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.project import Events, build, ended, loaded, until
from workflow.api import get_run, list_runs, resume_hook, start, with_options
from workflow.engine import Application
from workflow.errors import (
    DirectCallError,
    HookNotFoundError,
    RunEndedError,
    SerializationError,
    WorkflowNotRegisteredError,
    WorkflowRunCancelledError,
    WorkflowRunFailedError,
)
from workflow.testing.clock import VirtualClock
from workflow.world.port import World
from workflow.worlds import local, memory

MakeWorld = Callable[[VirtualClock], World]
START = 1_700_000_000


@pytest.fixture(params=["memory", "local"])
def make_world(request: pytest.FixtureRequest, tmp_path: Path) -> MakeWorld:
    if request.param == "memory":
        return lambda clock: memory.create(clock)
    return lambda clock: local.create_local_world(data_dir=tmp_path / "data", clock=clock)


def serve(
    make_world: MakeWorld,
    folder: Path,
    source: str,
    play: Callable[[Application, Any, VirtualClock], Awaitable[None]],
) -> None:
    """Build `source`, start an application on it, and let `play` do the rest."""
    project = build(folder, source)
    clock = VirtualClock(START * 1_000_000)

    async def main() -> None:
        async with Application(make_world(clock), project) as application:
            await play(application, loaded(folder), clock)

    asyncio.run(main())


SIGNUP = '''
    from workflow import get_step_metadata, sleep, step_options

    attempts = []

    async def create(email: str) -> dict:
        """Create a user."""
        "use step"
        return {"email": email}

    @step_options(backoff="10s", max_retries=2)
    async def flaky(email: str) -> int:
        "use step"
        attempts.append(get_step_metadata().attempt)
        if len(attempts) < 3:
            raise ConnectionError("not now")
        return len(attempts)

    async def signup(email: str, *, greeting: str = "hi") -> dict:
        """Sign somebody up."""
        "use workflow"
        user = await create(email)
        tries = await flaky(email)
        await sleep("7 days")
        return {"user": user, "tries": tries, "greeting": greeting}
'''


def test_a_run_with_retries_and_a_long_sleep(make_world: MakeWorld, tmp_path: Path) -> None:
    """Two failures are retried after their back-off, a week passes, the result is recorded."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.signup, "a@b.c", greeting="hello")
        for used in (1, 2):

            async def waits(used: int = used) -> bool:
                tasks = await app.world.list_tasks(run.run_id)
                return [t.attempt for t in tasks if t.owner is None] == [used]

            await until(app.world, waits, what=f"failure of attempt {used}")
            clock.advance(30)

        async def sleeps() -> bool:
            return "wait_created" in (await Events.of(app.world, run.run_id)).types()

        await until(app.world, sleeps)
        assert await run.status == "running"
        clock.advance(7 * 24 * 3600)
        result = await run.result(60)
        assert result == {"user": {"email": "a@b.c"}, "tries": 3, "greeting": "hello"}
        assert flows.attempts == [1, 2, 3]
        log = await Events.of(app.world, run.run_id)
        assert log.named("step_completed") == ["create", "flaky"]
        assert log.types()[-1] == "run_completed"

    serve(make_world, tmp_path, SIGNUP, play)


ERRORS = """
    from workflow import FatalError

    calls = []

    async def fatal() -> None:
        "use step"
        calls.append("fatal")
        raise FatalError("no way")

    async def returns_lambda() -> object:
        "use step"
        calls.append("lambda")
        kept = [lambda: 1]
        return {"f": kept}

    async def boom() -> None:
        "use workflow"
        x = 1
        raise ValueError(f"boom {x}")

    async def fails_for_good() -> str:
        "use workflow"
        try:
            await fatal()
        except FatalError as error:
            return f"caught {error}"
        return "not reached"

    async def bad_result() -> str:
        "use workflow"
        try:
            await returns_lambda()
        except Exception as error:
            return str(error)
        return "not reached"

    async def takes(n: int) -> int:
        "use workflow"
        return n
"""


def test_a_fatal_error_is_not_retried(make_world: MakeWorld, tmp_path: Path) -> None:
    """FatalError fails the step at once, as itself."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.fails_for_good)
        assert await run.result(60) == "caught no way"
        assert flows.calls == ["fatal"]

    serve(make_world, tmp_path, ERRORS, play)


def test_a_result_that_cannot_be_recorded_fails_the_step_once(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    """The step is not run again for it; the error names the field."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.bad_result)
        assert "result.f[0]" in await run.result(60)
        assert flows.calls == ["lambda"]

    serve(make_world, tmp_path, ERRORS, play)


def test_a_traceback_shows_the_users_own_line(make_world: MakeWorld, tmp_path: Path) -> None:
    """The recorded traceback of a body names the user's file, line and source text."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.boom)
        with pytest.raises(WorkflowRunFailedError) as caught:
            await run.return_value
        cause = caught.value.__cause__
        assert isinstance(cause, ValueError)
        text = cause.workflow_traceback  # type: ignore[attr-defined]
        number = next(
            n
            for n, line in enumerate(Path(flows.__file__).read_text().splitlines(), 1)
            if "raise ValueError" in line
        )
        assert f'File "{flows.__file__}", line {number}, in boom' in text
        assert 'raise ValueError(f"boom {x}")' in text
        assert "workflow/replay" not in text
        assert any(text.rstrip() in note for note in caught.value.__notes__)

    serve(make_world, tmp_path, ERRORS, play)


def test_start_checks_what_it_is_given(make_world: MakeWorld, tmp_path: Path) -> None:
    """Wrong arguments, a step, an unknown name and values that cannot be recorded are refused."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        with pytest.raises(TypeError, match="takes"):
            await start(flows.takes)
        with pytest.raises(WorkflowNotRegisteredError, match="is a step"):
            await start(flows.fatal)
        with pytest.raises(WorkflowNotRegisteredError, match="takes"):
            await start("take")
        with pytest.raises(SerializationError, match=r"args\.n\[1\]"):
            await start(flows.takes, [1, lambda: 2])
        with pytest.raises(DirectCallError, match="start"):
            await flows.takes(1)
        assert [run async for run in list_runs()] == []
        assert await (await start("takes", 3)).result(60) == 3
        assert await flows.returns_lambda() is not None  # a step called directly is a function

    serve(make_world, tmp_path, ERRORS, play)


def test_idempotency_key_and_options(make_world: MakeWorld, tmp_path: Path) -> None:
    """The same key gives the same run, also after its end; attributes and delays are kept."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        options = with_options(idempotency_key="k", attributes={"tier": "gold"}, delay="1h")
        first = await options.start(flows.takes, 1)
        assert await first.status == "pending"
        clock.advance(3600)
        assert await first.result(60) == 1
        again = await with_options(idempotency_key="k").start(flows.takes, 2)
        assert again.run_id == first.run_id
        found = [run.run_id async for run in list_runs(attributes={"tier": "gold"})]
        assert found == [first.run_id]

    serve(make_world, tmp_path, ERRORS, play)


PARALLEL = """
    import asyncio

    async def square(n: int) -> int:
        "use step"
        return n * n

    def cube(n: int) -> int:
        "use step"
        return n**3

    async def fan_out(width: int) -> list[int]:
        "use workflow"
        return list(await asyncio.gather(*[square(n) for n in range(width)]))

    async def sync_step() -> int:
        "use workflow"
        return await cube(3)
"""


def test_wide_fan_out(make_world: MakeWorld, tmp_path: Path) -> None:
    """More parallel steps than one worker takes inline become tasks; the results keep order."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.fan_out, 100)
        assert await run.result(60) == [n * n for n in range(100)]
        log = await Events.of(app.world, run.run_id)
        assert log.types().count("step_completed") == 100

    serve(make_world, tmp_path, PARALLEL, play)


def test_a_sync_step_runs_in_a_thread(make_world: MakeWorld, tmp_path: Path) -> None:
    """A `def` step does not block the event loop, and is awaited like the others."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        assert await (await start(flows.sync_step)).result(60) == 27

    serve(make_world, tmp_path, PARALLEL, play)


HOOKS = """
    import asyncio

    from workflow import create_hook, get_writable, sleep

    log = []

    async def note(text: str) -> None:
        "use step"
        log.append(text)
        await get_writable(str).write(text)

    async def approval(token: str) -> list[str]:
        "use workflow"
        hook = create_hook(token=token)
        answers = [await hook, await hook]
        await note("answered")
        return answers

    async def patient() -> None:
        "use workflow"
        try:
            await sleep("1 day")
        finally:
            await note("cleaned up")
"""


def test_hooks_are_durable_and_in_order(make_world: MakeWorld, tmp_path: Path) -> None:
    """Payloads arrive in the order they were posted; afterwards the token is unknown."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        with pytest.raises(HookNotFoundError):
            await resume_hook("t", "too early")
        run = await start(flows.approval, "t")

        async def open_hook() -> bool:
            return await app.world.get_hook("t") is not None

        await until(app.world, open_hook)
        hook = await resume_hook("t", "one")
        assert hook.run_id == run.run_id
        await resume_hook("t", "two")
        assert await run.result(60) == ["one", "two"]
        assert [text async for text in run.readable] == ["answered"]
        with pytest.raises(HookNotFoundError):
            await resume_hook("t", "too late")

    serve(make_world, tmp_path, HOOKS, play)


def test_cancel_lets_the_body_clean_up(make_world: MakeWorld, tmp_path: Path) -> None:
    """`cancel` is CancelledError in the body; its cleanup steps run; then the run is cancelled."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.patient)

        async def sleeps() -> bool:
            return "wait_created" in (await Events.of(app.world, run.run_id)).types()

        await until(app.world, sleeps)
        await run.cancel("changed my mind")
        with pytest.raises(WorkflowRunCancelledError, match="changed my mind"):
            await run.return_value
        assert flows.log == ["cleaned up"]
        with pytest.raises(RunEndedError):
            await run.cancel()

    serve(make_world, tmp_path, HOOKS, play)


def test_wake_up_ends_a_sleep(make_world: MakeWorld, tmp_path: Path) -> None:
    """`wake_up` lets a sleeping run go on at once."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.patient)

        async def sleeps() -> bool:
            return "wait_created" in (await Events.of(app.world, run.run_id)).types()

        await until(app.world, sleeps)
        with pytest.raises(TypeError, match="one by one"):
            await run.wake_up(["wait_1"])  # type: ignore[arg-type]
        await run.wake_up()
        assert await run.result(60) is None

    serve(make_world, tmp_path, HOOKS, play)


def test_waking_a_delayed_run_only_lets_it_begin(make_world: MakeWorld, tmp_path: Path) -> None:
    """The sleep that its body then begins with lasts; a second wake-up ends that."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await with_options(delay="1 day").start(flows.patient)
        await run.wake_up()

        async def sleeps() -> bool:
            return "wait_created" in (await Events.of(app.world, run.run_id)).types()

        await until(app.world, sleeps)
        assert (await Events.of(app.world, run.run_id)).types() == ["run_created", "wait_created"]
        await run.wake_up()
        assert await run.result(60) is None

    serve(make_world, tmp_path, HOOKS, play)


def test_terminate_needs_no_body(make_world: MakeWorld, tmp_path: Path) -> None:
    """`terminate` ends a run at once; its body does not run again."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await with_options(delay="1 day").start(flows.patient)
        await run.terminate("enough")
        record = await ended(app, run.run_id)
        assert record.status == "cancelled"
        assert flows.log == []
        assert await get_run(run.run_id).status == "cancelled"

    serve(make_world, tmp_path, HOOKS, play)

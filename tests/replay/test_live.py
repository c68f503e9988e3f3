"""One live run: facts in, decisions out."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.replay.drive import SECOND, START, Driver, codec, meta_of, step
from workflow import create_hook, get_workflow_metadata, set_attributes, sleep
from workflow.errors import (
    ContextError,
    DivergenceError,
    HookConflictError,
    SerializationError,
    StepFailedError,
    WorkflowBlockedError,
    WorkflowNotRegisteredError,
)


def test_sequential_steps() -> None:
    """Each result causes the next call, and the last one the end of the run."""

    async def body(n: int) -> int:
        first = await step("add", n=n)
        second: int = await step("double", n=first)
        return second

    run = Driver(body, n=1)
    assert [e.type for e in run.log] == ["run_created", "step_created"]
    assert codec.decode(run.log[-1].payload or b"") == {"n": 1}
    assert [e.name for e in run.complete(2)] == ["double"]
    run.complete(4)
    assert run.result == 4


def test_parallel_results_arrive_in_log_order() -> None:
    """`gather` keeps the order of its arguments, whatever the order of the results."""

    async def body() -> list[str]:
        return list(await asyncio.gather(*[step("s", n=n) for n in range(3)]))

    run = Driver(body)
    assert len(run.live.steps) == 3
    run.complete("c", index=2)
    run.complete("a", index=0)
    run.complete("b", index=0)
    assert run.result == ["a", "b", "c"]


def test_create_task_and_wait() -> None:
    """`create_task` with `wait(FIRST_COMPLETED)` sees the result that is first in the log."""

    async def body() -> Any:
        tasks = [asyncio.create_task(step("s", n=n)) for n in range(2)]
        done, open_ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in open_:
            task.cancel()
        return [task.result() for task in done]

    run = Driver(body)
    run.complete("second", index=1)
    assert run.result == ["second"]
    assert run.live.take_abandoned() == [run.ref("step_created", 0)]


def test_timeout_cancels_the_step_it_surrounds() -> None:
    """`asyncio.timeout` is a durable wait; when it ends first, the step is given up."""

    async def body() -> str:
        try:
            async with asyncio.timeout(5):
                await step("slow")
        except TimeoutError:
            return "late"
        return "in time"

    run = Driver(body)
    assert meta_of(run.log[-1]) == {"due": START + 5 * SECOND} or run.ref("wait_created")
    assert run.advance(4.9) == []
    run.advance(0.1)
    assert run.result == "late"
    assert run.live.take_abandoned() == [run.ref("step_created")]


def test_a_wait_that_is_not_needed_any_more_is_forgotten() -> None:
    """The timer of a time-out that was not reached never fires."""

    async def body() -> str:
        async with asyncio.timeout(5):
            await step("quick")
        await step("other")
        return "done"

    run = Driver(body)
    run.complete(None)
    assert run.live.next_timer() is None


def test_sleep_until_its_time() -> None:
    """`sleep` takes durations and moments; the clock of the body is the time of the fact."""

    async def body() -> list[float]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await sleep("1 minute")
        await sleep(timedelta(seconds=30))
        await sleep(datetime.fromtimestamp(START / SECOND + 100, UTC))
        await sleep(datetime.fromtimestamp(START / SECOND - 100, UTC))
        return [loop.time() - began]

    run = Driver(body)
    assert run.live.next_timer() == START + 60 * SECOND
    run.advance(60)
    run.advance(30)
    run.advance(10)
    assert run.result == [100.0]
    assert run.types().count("wait_created") == 3


def test_a_naive_datetime_is_refused() -> None:
    """A moment without a zone could mean anything."""

    async def body() -> None:
        await sleep(datetime(2030, 1, 1))

    assert "zone" in str(Driver(body).error)


def test_a_failed_step_raises_in_the_body() -> None:
    """Errors of known classes come back as themselves, others as StepFailedError."""

    class Odd(Exception):
        pass

    async def body() -> list[str]:
        seen = []
        for _ in range(2):
            try:
                await step("s")
            except ValueError as error:
                seen.append(f"ValueError {error}")
            except StepFailedError as error:
                seen.append(f"{error.type_name.rpartition('.')[2]}; {error}")
        return seen

    run = Driver(body)
    run.fail(ValueError("one"))
    run.fail(Odd("two"))
    assert run.result == ["ValueError one", "Odd; Odd: two"]


def test_an_argument_that_cannot_be_recorded_fails_the_call() -> None:
    """The error names the path to the value, and the body may catch it."""

    async def body() -> str:
        try:
            await step("s", order={"items": [1, lambda: None]})
        except SerializationError as error:
            return error.path
        return "recorded"

    assert Driver(body).result == "args.order.items[1]"


def test_a_result_that_cannot_be_recorded_fails_the_run() -> None:
    """The run ends as failed with the path in the message; it does not loop."""

    async def body() -> Any:
        return {"callback": print}

    assert "return value.callback" in str(Driver(body).error)


def test_hook_payloads_are_delivered_in_order() -> None:
    """Payloads that arrive before the body waits are kept for it."""

    async def body() -> list[int]:
        hook = create_hook(token="t")
        first = await hook
        await step("pause")
        return [first, await hook, await hook]

    run = Driver(body)
    ref = run.ref("hook_requested")
    run.feed("hook_created", ref)
    for n in (1, 2, 3):
        run.feed("hook_received", ref, payload=codec.encode(n))
    run.complete(None)
    assert run.result == [1, 2, 3]


def test_a_token_in_use_raises_with_its_owner() -> None:
    """HookConflictError carries the run that holds the token."""

    async def body() -> str:
        hook = create_hook(token="t")
        owner = await hook.get_conflict()
        try:
            await hook
        except HookConflictError as error:
            return f"{owner} {error.run_id}"
        return "open"

    run = Driver(body)
    run.feed("hook_conflict", run.ref("hook_requested"), meta=b'{"run_id":"wrun_2"}')
    assert run.result == "wrun_2 wrun_2"


def test_iterating_a_hook_ends_when_it_is_disposed() -> None:
    """`async for` gives every payload; `dispose` frees the token and ends it."""

    async def body() -> list[str]:
        seen = []
        async with create_hook(token="t") as hook:
            async for payload in hook:
                seen.append(payload)
                if payload == "last":
                    hook.dispose()
        return seen

    run = Driver(body)
    ref = run.ref("hook_requested")
    run.feed("hook_created", ref)
    run.feed("hook_received", ref, payload=codec.encode("first"))
    run.feed("hook_received", ref, payload=codec.encode("last"))
    assert run.result == ["first", "last"]
    assert run.types().count("hook_disposed") == 1


def test_hook_timeout() -> None:
    """A hook with a timeout raises TimeoutError when no payload came."""

    async def body() -> str:
        try:
            await create_hook(token="t", timeout="10s")
        except TimeoutError:
            return "nobody came"
        return "somebody"

    run = Driver(body)
    run.feed("hook_created", run.ref("hook_requested"))
    run.advance(10)
    assert run.result == "nobody came"


def test_generated_tokens_come_from_the_seed() -> None:
    """Two runs with the same seed make the same token; it does not depend on the run id."""

    async def body() -> None:
        await create_hook()

    one, two = Driver(body, run_id="wrun_1"), Driver(body, run_id="wrun_2")
    tokens = [next(e.name for e in run.log if e.type == "hook_requested") for run in (one, two)]
    assert tokens[0] == tokens[1]
    assert len(tokens[0]) == 32


def test_cancel_runs_cleanup_durably() -> None:
    """A cancel request is a CancelledError in the body, and `finally` may call steps."""

    async def body() -> None:
        try:
            await sleep("1 day")
        finally:
            await step("undo")

    run = Driver(body)
    assert [e.name for e in run.feed("run_cancel_requested", meta=b'{"reason":"r"}')] == ["undo"]
    assert not run.live.ended
    assert [e.type for e in run.complete(None)] == ["run_cancelled"]


def test_a_body_may_survive_its_cancellation() -> None:
    """A body that catches the request and returns has completed."""

    async def body() -> str:
        try:
            await sleep("1 day")
        except asyncio.CancelledError:
            return "cleaned up"
        return "slept"

    run = Driver(body)
    run.feed("run_cancel_requested")
    assert run.result == "cleaned up"


def test_a_body_that_waits_for_nothing_fails() -> None:
    """A deadlock is an error with a reason, not a run that hangs for ever."""

    async def body() -> None:
        await asyncio.Event().wait()

    assert isinstance(Driver(body).error, WorkflowBlockedError)


def test_wrong_arguments_are_no_failure_of_the_run() -> None:
    """A recorded argument that the function does not accept is named, and nothing is decided."""

    async def body(email: str) -> None:
        del email

    with pytest.raises(WorkflowNotRegisteredError, match="does not accept the recorded 'mail'"):
        Driver(body, mail="x")


def test_metadata_and_attributes() -> None:
    """The body knows its run, and can set attributes."""

    async def body() -> list[Any]:
        await set_attributes({"tier": "gold", "old": None})
        about = get_workflow_metadata()
        return [about.workflow_run_id, about.workflow_name, about.workflow_started_at, about.url]

    run = Driver(body)
    assert meta_of(run.log[1]) == {"tier": "gold", "old": None}
    started = datetime.fromtimestamp(START / SECOND, UTC)
    assert run.result == ["wrun_1", "body", started, "http://app"]


def test_authoring_functions_say_where_they_belong() -> None:
    """Outside of a workflow body they raise ContextError and name the alternative."""
    with pytest.raises(ContextError, match=r"asyncio\.sleep"):
        asyncio.run(sleep(1))
    with pytest.raises(ContextError, match="workflow body"):
        create_hook()


def test_the_loop_refuses_what_reaches_outside() -> None:
    """Threads and sockets are refused with the advice to use a step."""

    async def body() -> None:
        await asyncio.get_running_loop().run_in_executor(None, print)

    with pytest.raises(ContextError, match="use step"):
        raise Driver(body).error


def test_a_fact_nobody_waits_for_is_a_divergence() -> None:
    """An orphan result is never ignored."""

    async def body() -> None:
        await step("s")

    with pytest.raises(DivergenceError):
        Driver(body).feed("step_completed", "step_unknown", payload=codec.encode(1))


def test_closing_runs_finally_and_records_nothing() -> None:
    """Eviction closes the coroutine; what it asks for then is not a decision."""
    ended = []

    async def body() -> None:
        try:
            await step("s")
        finally:
            ended.append(True)
            await step("never")

    run = Driver(body)
    run.live.close()
    assert ended == [True]
    assert run.types() == ["run_created", "step_created"]
    run.live.close()


def test_leftover_tasks_do_not_outlive_the_body() -> None:
    """A task nobody awaited is dropped with the run; its calls are no decisions after the end."""

    async def body() -> str:
        task = asyncio.create_task(step("background"))
        await step("main")
        del task
        return "done"

    run = Driver(body)
    run.complete(None, index=0 if "main" in str(run.log[1].name) else 1)
    assert run.result == "done"
    run.live.close()

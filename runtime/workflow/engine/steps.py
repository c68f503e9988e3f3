"""Run one attempt of a step and say what became of it.

An attempt ends in one of three ways: with a result, with a failure for good, or with a time for the
next attempt. Where the attempt came from (inline in the worker that holds the run, or a claimed
task) is not known here.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from workflow.authoring.context import StepContext, step_context
from workflow.authoring.sources import Source, bound
from workflow.codec import Codec
from workflow.codec.failures import stand_in
from workflow.engine import failpoints
from workflow.engine.intake import Intake, Returned
from workflow.engine.processes.messages import Done, Misfit, Raised
from workflow.engine.registry import Step
from workflow.engine.threads import Threads
from workflow.errors import (
    FatalError,
    RetryableError,
    SerializationError,
    StepTimeoutError,
    WorkflowError,
)
from workflow.events import Micros
from workflow.policy.arguments import captured_of
from workflow.policy.boundary import Checks, checked_by, fit
from workflow.policy.names import short_name
from workflow.policy.retry import GiveUp, Retry, after_failure
from workflow.replay.frames import recorded_traceback, summary_of
from workflow.replay.live import pack
from workflow.world.port import World

if TYPE_CHECKING:
    from workflow.engine.processes import Processes

__all__ = [
    "Completed",
    "Failed",
    "Outcome",
    "Superseded",
    "TryAgain",
    "Unfit",
    "prepared",
    "run_attempt",
]


class Unfit(WorkflowError):
    """The step of this worker does not take the recorded arguments. Its body has not begun."""

    code = "step-not-registered"


class Superseded(asyncio.CancelledError):
    """Another attempt has taken this one's place: whatever it still does counts for nothing."""


@dataclass(frozen=True)
class Completed:
    """The step has a result: `payload` is its encoding, `returned` the streams in it."""

    payload: bytes
    meta: bytes
    returned: Returned | None = None


@dataclass(frozen=True)
class Failed:
    """The step has failed for good: `payload` is the encoded error."""

    payload: bytes
    meta: bytes


@dataclass(frozen=True)
class TryAgain:
    """The attempt failed, the next one is due at `at`; `error` is its encoded error."""

    at: Micros
    error: bytes


log = logging.getLogger("workflow.engine")

Outcome: TypeAlias = Completed | Failed | TryAgain


async def run_attempt(
    step: Step,
    payload: bytes,
    context: StepContext,
    world: World,
    codec: Codec,
    processes: Processes,
    *,
    worker: str = "",
) -> Outcome:
    """Run the body once. Everything it raises becomes an outcome, except cancellation.

    `worker` is who will write the streams that the step returns. Raises Unfit when the recorded
    arguments are not for this step as it is here.
    """
    started = world.now()
    elsewhere = step.options.run_in == "process"
    with bound(Source(world, codec)):
        call = None if elsewhere else prepared(step, payload, codec)
    try:
        failpoints.reach("before_step_body")
        if call is None:
            limit = step.options.timeout
            said = await processes.attempt(step.id, payload, context, world, limit)
        else:
            result = await _call(step, call, context)
        failpoints.reach("after_step_body")
    except (KeyboardInterrupt, Superseded):
        raise
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise  # the engine takes this attempt back
        return _failure(step, context.attempt, error, started, world.now(), codec)
    except BaseException as error:
        return _failure(step, context.attempt, error, started, world.now(), codec)
    if call is None:
        return _said(step, context, said, started, world.now())
    intake = Intake(context.run_id, worker, started)
    try:
        encoded = codec.encode(result, path="result", adopt=intake.adopt)
    except SerializationError as error:
        # Another attempt would return the same kind of value: this is the step's failure at once.
        await intake.let_go()
        told = codec.encode_error(error, traceback=recorded_traceback(error))
        return Failed(told, _meta(context.attempt, started, "SerializationError"))
    try:
        returned = await intake.open(context)
    except BaseException as error:
        await intake.let_go()
        if not isinstance(error, WorkflowError):
            raise
        return _failure(step, context.attempt, error, started, world.now(), codec)
    return Completed(encoded, _meta(context.attempt, started, context=context), returned)


def prepared(step: Step, payload: bytes, codec: Codec) -> Callable[[], Any]:
    """The call of a step with its recorded arguments, not made yet. Raises Unfit."""
    try:
        arguments, captured = captured_of(codec.decode(payload, path="args"))
        function = step.bind(captured)
        args, kwargs = step.spread(function, arguments)
    except (SerializationError, TypeError) as error:
        raise Unfit(
            f"the step {short_name(step.id)!r} ({step.id}) does not take the recorded arguments: "
            f"{error}"
        ) from error
    try:
        checks = checked_by(function)
    except TypeError as error:  # what checks an annotation is not installed
        return partial(_refuse, error)
    if checks:
        return partial(_fitted, step, function, checks, arguments)
    return partial(function, *args, **kwargs)


def _refuse(error: TypeError) -> Any:
    raise FatalError(str(error)) from error


def _fitted(
    step: Step, function: Callable[..., Any], checks: Checks, arguments: dict[str, Any]
) -> Any:
    """Call with arguments that pydantic holds to the annotations. Wrong ones are not worth a retry:
    they are recorded as they are."""
    try:
        fitting = fit(function, checks, arguments)
    except TypeError as error:
        raise FatalError(str(error)) from None
    args, kwargs = step.spread(function, fitting)
    return function(*args, **kwargs)


async def _call(step: Step, call: Callable[[], Any], context: StepContext) -> Any:
    token = step_context.set(context)
    try:
        if step.is_async:
            body = call()
        else:
            body = await _in_thread(call)
        limit = step.options.timeout
        if limit is None:
            return await body
        deadline = asyncio.timeout(limit)
        try:
            async with deadline:
                return await body
        except TimeoutError:
            if deadline.expired():
                text = f"{context.step_name} ran longer than its timeout of {limit:g} s"
                if not step.is_async:
                    text += (
                        "; its thread goes on until the function returns. A process can be ended: "
                        '@step_options(run_in="process")'
                    )
                raise StepTimeoutError(text) from None  # how asyncio ends the waiting is no cause
            raise
    finally:
        step_context.reset(token)


async def _in_thread(call: Callable[[], Any]) -> Awaitable[Any]:
    """Start a plain function in a thread of ours; returns when it has begun.

    Waiting for a free thread is not the step's own time, so a time-out begins after this.
    """
    loop = asyncio.get_running_loop()
    begun = asyncio.Event()
    context = contextvars.copy_context()

    def work() -> Any:
        loop.call_soon_threadsafe(begun.set)
        try:
            return context.run(call)
        except StopIteration as error:
            # A future cannot carry it.
            raise RuntimeError(f"the step raised StopIteration({error.value!r})") from error

    result = asyncio.wrap_future(_threads.submit(work))
    try:
        await begun.wait()
    except asyncio.CancelledError:
        result.cancel()  # not begun: it never will; begun: its result is dropped
        raise
    return result


# Threads of steps. More than cores, because steps mostly wait for others.
_threads = Threads(64)


def _failure(
    step: Step, attempt: int, error: BaseException, started: Micros, now: Micros, codec: Codec
) -> Outcome:
    try:
        encoded = codec.encode_error(error, traceback=recorded_traceback(error))
        return _failed(step, attempt, error, encoded, summary_of(error), started, now)
    except Exception:  # code of the error's class; then its name and text are what is recorded
        told = stand_in(error)
        encoded = codec.encode_error(told)
        return _failed(step, attempt, told, encoded, str(told), started, now)


def _failed(
    step: Step,
    attempt: int,
    error: BaseException,
    encoded: bytes,
    summary: str,
    started: Micros,
    now: Micros,
) -> Outcome:
    decision = after_failure(step.options, attempt, error, now, random.random())
    match decision:
        case Retry(at=at, remark=remark):
            if remark:
                log.warning("the step %s, attempt %d: %s", short_name(step.id), attempt, remark)
            return TryAgain(at, encoded)
        case GiveUp():
            return Failed(encoded, _meta(attempt, started, summary))


def _said(
    step: Step, context: StepContext, said: Done | Raised | Misfit, started: Micros, now: Micros
) -> Outcome:
    """The outcome of an attempt in a process. Raises Unfit."""
    attempt = context.attempt
    match said:
        case Done(payload=payload):
            return Completed(payload, _meta(attempt, started, context=context))
        case Misfit(reason=reason):
            raise Unfit(reason)
        case Raised(error=encoded, summary=summary):
            # The error itself stays encoded; what follows depends on its kind alone.
            error: Exception = FatalError() if said.final else Exception()
            if said.retryable and not said.final:
                error = RetryableError(retry_after=said.retry_after)
            return _failed(step, attempt, error, encoded, summary, started, now)


def _meta(
    attempt: int, started: Micros, error: str = "", context: StepContext | None = None
) -> bytes:
    """What is noted beside a result: from where on its streams are this execution's. Below may lie
    chunks of one that was taken back, under the same attempt. And of which streams an attempt
    before it counts, as that one had ended them."""
    meta: dict[str, Any] = {"attempt": attempt, "started_at": started}
    if error:
        meta["error"] = error
    if context is not None:
        streams = {name: index for name, index in context.begins.items() if index}
        if streams:
            meta["streams"] = streams
        if context.kept:
            meta["kept"] = context.kept
    return pack(meta)

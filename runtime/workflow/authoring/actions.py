"""Pending actions: questions that a run asks a person, and waits for the answer.

A pending action is a hook with a generated token that nobody has to know: it is found by the run's
id and the name of the step. It has a lifetime, which is a wait of the run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args, get_origin, overload

from workflow.authoring.context import body
from workflow.authoring.payloads import adapter_of
from workflow.codec import Codec
from workflow.errors import PendingActionExpiredError
from workflow.policy.actions import LIFETIME
from workflow.policy.durations import seconds_of
from workflow.policy.shapes import Shape, shape_of
from workflow.replay.loop import DetFuture, Handle

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ["pending_action"]

_MAX_LABEL = 200

T = TypeVar("T")
Choice = TypeVar("Choice", bound=str)


@overload
async def pending_action(
    step: str,
    *,
    options: Sequence[Choice],
    type: str = ...,
    message: str = ...,
    timeout: str | float | timedelta | None = ...,
) -> Choice: ...
@overload
async def pending_action(
    step: str,
    *,
    type: type[T] | TypeAdapter[T],
    message: str = ...,
    timeout: str | float | timedelta | None = ...,
) -> T: ...
@overload
async def pending_action(
    step: str,
    *,
    type: str = ...,
    message: str = ...,
    timeout: str | float | timedelta | None = ...,
) -> Any: ...
async def pending_action(
    step: str,
    *,
    type: Any = "input",
    message: str = "",
    options: Sequence[str] | None = None,
    timeout: str | float | timedelta | None = None,
) -> Any:
    """Ask a person, and wait for the answer: the input of `run.resume(step, input)`.

    `step` names the question within the run; it may be asked again once it is answered. `message`
    is what the person reads. With `options`, the input is one of these texts. `type` is a label for
    whoever shows the question (`"confirmation"`), or what the input is made into: a class, another
    type such as `list[int]` or `Review | None`, or a `TypeAdapter`. `timeout` is the lifetime of
    the question; by default WORKFLOW_PENDING_ACTION_TIMEOUT of the process that started the run, or
    30 days. Callable in a workflow body only.

    While a run waits for nothing else, its status is `paused`. Raises PendingActionExpiredError
    after the lifetime; a run that does not catch it fails with the code `expired`. Raises
    ValueError when the step is open already, and for options that are none; TypeError for what is
    no type; pydantic's ValidationError for an input that `resume` could not check and that does not
    fit.
    """
    run = body("pending_action()", "Ask in the workflow and pass the answer to the step.")
    if not 0 < len(_text("step", step)) <= 256:
        raise ValueError(f"a pending action's step is text of 1 to 256 characters, not {step!r}")
    if step in run.actions:
        raise ValueError(
            f"the pending action {step!r} is open already; two that are open at a time need two "
            "names"
        )
    micros = run.settings.get("action_lifetime", LIFETIME)
    seconds = (
        micros / 1_000_000
        if timeout is None
        else seconds_of(timeout, "timeout= of pending_action()")
    )
    if seconds <= 0:
        raise ValueError(f"timeout= of pending_action() must be longer than 0, not {timeout!r}")
    expires = run.loop.now + round(seconds * 1_000_000)
    label, kind, wanted = _type(type, run.codec, options)
    adapter = None if kind is None else adapter_of(kind, "type= of pending_action()")
    about = {
        "step": step,
        "type": label,
        "message": _text("message", message),
        "options": None if options is None else _choices(options),
        "expires": expires,
        **({"class" if isinstance(wanted, str) else "shape": wanted} if wanted else {}),
    }
    hook = run.request_hook(
        run.token(), webhook=False, metadata=None, meta={"action": about}, step=step
    )
    answer = hook.next_payload()
    error = PendingActionExpiredError(step, seconds)
    lifetime = Handle(_expire, (answer, error), None, expires / 1_000_000)
    run.open_wait(expires, lifetime, kind="lifetime")
    try:
        value = await answer
    finally:
        lifetime.cancel()
        run.dispose_hook(hook)
    return value if adapter is None else adapter.validate_python(value)


def _expire(answer: DetFuture[Any], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)


def _type(given: Any, codec: Codec, options: Any) -> tuple[str, Any, Shape | None]:
    """The label, what to check the input against, and what to record of that."""
    if given is None or isinstance(given, str):
        return given or "input", None, None
    if options is not None:
        raise TypeError("with options=, type= is a label: the input is one of the options")
    shape = shape_of(given, codec.id_of)
    if hasattr(given, "validate_python"):  # an adapter: what is in it cannot be told
        return "input", given, None
    return _spelled(given), given, shape


def _spelled(kind: Any) -> str:
    """A type as one writes it, such as `list[Review]`."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if isinstance(kind, type) and not get_args(kind):
        return kind.__name__
    return re.sub(r"\b(?:[A-Za-z_]\w*\.)+(?=[A-Za-z_])", "", repr(kind))[:_MAX_LABEL]


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name}= of a pending action is text, not {type(value).__name__}")
    return value


def _choices(options: Any) -> list[str]:
    choices = (
        list(options) if isinstance(options, Iterable) and not isinstance(options, str) else []
    )
    good = all(isinstance(choice, str) for choice in choices)
    if not choices or not good or len(set(choices)) < len(choices):
        raise ValueError(f"options= are different texts, at least one, not {options!r}")
    return choices

"""Pending actions: questions that a run asks a person, and waits for the answer.

A pending action is a hook with a generated token that nobody has to know: it is found by the run's
id and the name of the step. It has a lifetime, which is a wait of the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, TypeVar, overload

from workflow.authoring.context import body
from workflow.authoring.payloads import adapter_of
from workflow.codec import Codec
from workflow.errors import PendingActionExpiredError
from workflow.policy.actions import BUILT_IN, LIFETIME
from workflow.policy.durations import seconds_of
from workflow.replay.loop import DetFuture, Handle

__all__ = ["pending_action"]

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
    type: type[T],
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
    whoever shows the question (`"confirmation"`), or a class that the input is made into: bool,
    int, float, str, dict, list, or a class of the project. `timeout` is the lifetime of the
    question; by default WORKFLOW_PENDING_ACTION_TIMEOUT of the process that started the run, or 30
    days. Callable in a workflow body only.

    While a run waits for nothing else, its status is `paused`. Raises PendingActionExpiredError
    after the lifetime; a run that does not catch it fails with the code `expired`. Raises
    ValueError when the step is open already, and for options that are none; pydantic's
    ValidationError for an input that came around `resume` and does not fit.
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
        **({"class": wanted} if wanted is not None else {}),
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


def _type(given: Any, codec: Codec, options: Any) -> tuple[str, Any, str | None]:
    """The label, the class to check against, and what to record of it."""
    if isinstance(given, str):
        return _text("type", given), None, None
    if options is not None:
        raise TypeError("with options=, type= is a label: the input is one of the options")
    name = getattr(given, "__name__", "")
    if BUILT_IN.get(name) is given:
        return name, given, name
    class_id = codec.id_of(given) if isinstance(given, type) else None
    if class_id is None:
        raise TypeError(
            f"type= is a label, one of {', '.join(BUILT_IN)}, or a class of the project, not "
            f"{given!r}. For some texts to choose from, give options=; for anything else, write a "
            "dataclass"
        )
    return name, given, class_id


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

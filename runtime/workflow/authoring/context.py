"""Where a call comes from: a workflow body, a step, or neither."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import CodeType
from typing import Any

from workflow.codec import Codec
from workflow.errors import ContextError, DirectCallError
from workflow.replay.live import LiveRun
from workflow.replay.loop import running

__all__ = ["StepContext", "body", "current_step", "moment", "step_context"]

_DIRECTIVES = ('"use workflow"', "'use workflow'")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class StepContext:
    """What a step body may know and do, set by the engine for one attempt.

    `write(stream, chunks, close, of=None)` appends encoded chunks as this attempt, to a stream of
    this run or of the run `of`; `begins` has the index of the first chunk that it wrote in each
    stream of this run, and `kept` which attempt before it had ended one, so that what this one has
    for it is left out; `set_attributes(changes)` posts attribute changes to the run;
    `cancel_run(run_id, reason)` asks any run to stop.
    """

    run_id: str
    parent_run_id: str | None
    root_run_id: str
    workflow_name: str
    workflow_started_at: datetime
    base_url: str
    step_id: str
    step_name: str
    attempt: int
    step_started_at: datetime
    codec: Codec
    begins: dict[str, int]
    kept: dict[str, int]
    write: Callable[..., Awaitable[None]]
    set_attributes: Callable[[dict[str, str | None]], Awaitable[None]]
    cancel_run: Callable[[str, str], Awaitable[None]]


step_context: ContextVar[StepContext | None] = ContextVar("workflow_step", default=None)


def body(what: str, instead: str) -> LiveRun:
    """The live run of the workflow body that is executing.

    Raises ContextError that names `what` and says what to write `instead` outside of a body,
    DirectCallError where the body was called like a function.
    """
    loop = running()
    if loop is None:
        called = _called_directly()
        if called is not None:
            raise DirectCallError(
                f"{called} is a workflow and was called like a function, so nothing of it is "
                f"recorded and {what} has no run to work in. Use `await start({called}, ...)` from "
                "workflow.api; a test does so in a world of its own, as the README says"
            )
        place = "a step" if step_context.get() is not None else "code outside of a workflow"
        raise ContextError(f"{what} works in a workflow body, not in {place}. {instead}")
    return loop.run


def _called_directly() -> str | None:
    """The name of the function with the directive of a workflow that is executing, if any."""
    frame = inspect.currentframe()
    while frame is not None:
        code = frame.f_code
        if code.co_flags & inspect.CO_COROUTINE and _is_workflow(code):
            return code.co_qualname
        frame = frame.f_back
    return None


def _is_workflow(code: CodeType) -> bool:
    """Whether the text of a function, as far as it is there, has the directive."""
    try:
        lines, _ = inspect.getsourcelines(code)
    except (OSError, TypeError, IndentationError, SyntaxError):
        return False
    return any(line.strip().strip(";") in _DIRECTIVES for line in lines)


def current_step() -> StepContext | None:
    """The step attempt this code runs in; None in a workflow body and everywhere else."""
    return None if running() is not None else step_context.get()


def moment(micros: int) -> datetime:
    """A recorded time as an aware datetime in UTC, exact to the microsecond."""
    return _EPOCH + timedelta(microseconds=micros)


def attributes_of(changes: object, *, removing: bool = False) -> dict[str, Any]:
    """Check run attributes: up to 64, names up to 256 characters, text values up to 256 bytes.

    None removes a key where `removing` makes sense. Names that begin with $ are the runtime's own.
    Limits as in the Workflow DevKit, so that consoles of both can show them.
    """
    if not isinstance(changes, Mapping):
        raise TypeError(
            f'attributes are a dict of names and texts such as {{"customer": "ada"}}, '
            f"not {type(changes).__name__}"
        )
    if len(changes) > 64:
        raise ValueError(f"at most 64 attributes, not {len(changes)}")
    key: Any
    for key, value in changes.items():
        if not isinstance(key, str) or not 0 < len(key) <= 256:
            raise ValueError(f"attribute names are text of 1 to 256 characters, not {key!r}")
        if key.startswith("$"):
            raise ValueError(f"attribute names that begin with $ are the runtime's own: {key!r}")
        if not isinstance(value, str) and not (removing and value is None):
            wanted = "text or None" if removing else "text"
            raise TypeError(f"attribute {key!r} must be {wanted}, not {type(value).__name__}")
        if any(c == "\0" or "\ud800" <= c <= "\udfff" for c in key + (value or "")):
            raise ValueError(f"attribute {key!r}: text without U+0000 and surrogates can be stored")
        if value is not None and len(value.encode()) > 256:
            raise ValueError(f"attribute {key!r} is longer than 256 bytes")
    return dict(changes)

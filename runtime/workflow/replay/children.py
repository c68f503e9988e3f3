"""What a run knows about one of the runs it has started: has it ended, and how."""

from __future__ import annotations

from typing import Any

from workflow.codec import Codec
from workflow.errors import (
    StepFailedError,
    WorkflowError,
    WorkflowRunCancelledError,
    WorkflowRunFailedError,
)
from workflow.replay.loop import DetFuture, DetLoop

__all__ = ["ChildState", "failure_of"]


class ChildState:
    """One child of a live run. Its end goes to everybody who waits for it, now or later.

    One that is `bound` is asked to stop when its parent ends.
    """

    def __init__(self, loop: DetLoop, run_id: str, codec: Codec, *, bound: bool = False) -> None:
        self.run_id = run_id
        self.bound = bound
        self.status = ""  # of its end; empty while it goes on
        self._loop = loop
        self._codec = codec
        self._output: bytes | None = None
        self._error_code = ""
        self._waiters: list[DetFuture[Any]] = []

    def result(self) -> DetFuture[Any]:
        """A future for what the child returns. It raises WorkflowRunFailedError or
        WorkflowRunCancelledError when the child ends in another way."""
        future = self._loop.create_future()
        if self.status:
            self._answer(future)
        else:
            self._waiters.append(future)
        return future

    def end(self, status: str, output: bytes | None, error_code: str) -> None:
        """The child has ended. Raises SerializationError when its output cannot be read."""
        self.status, self._output, self._error_code = status, output, error_code
        waiting = [waiter for waiter in self._waiters if not waiter.done()]
        self._waiters.clear()
        if not waiting:
            self._answer(self._loop.create_future())  # unreadable is found now, not at some await
        for waiter in waiting:
            self._answer(waiter)

    @property
    def awaited(self) -> bool:
        """Whether the body waits for the end that is still to come."""
        return any(not waiter.done() for waiter in self._waiters)

    def standing(self) -> tuple[object, ...]:
        """All that can be told about it from outside; see `LiveRun.standing`."""
        return (self.run_id, self.status, sum(not waiter.done() for waiter in self._waiters))

    def _answer(self, waiter: DetFuture[Any]) -> None:
        # Read anew for each: values pass by copy, and a raised error gets the traceback of its
        # own await.
        output = self._output or b""
        if self.status == "completed":
            waiter.set_result(self._codec.decode(output, path="return value"))
            return
        error = self._codec.decode_error(output) if output else None
        if self.status == "failed":
            error = failure_of(self.run_id, error, self._error_code)
        elif not isinstance(error, WorkflowRunCancelledError):
            error = WorkflowRunCancelledError(self.run_id)
        waiter.set_exception(error)
        waiter.exception()  # seen: asyncio is not to complain when nobody awaits it


def failure_of(run_id: str, cause: BaseException | None, code: str) -> WorkflowRunFailedError:
    """The error that whoever waits for a failed run gets; `cause` is what its body raised."""
    error_code = code or "workflow-error"
    text = _text(cause)
    if isinstance(cause, StepFailedError) and error_code != StepFailedError.code:
        # No step's: the body ended with an exception whose class is not known here.
        text = str(cause)
        cause = _of_no_step(cause)
    failure = WorkflowRunFailedError(run_id, text, error_code=error_code)
    failure.__cause__ = cause
    recorded = getattr(cause, "workflow_traceback", None)
    if recorded:  # frames do not survive a log, their text does
        failure.add_note(f"As recorded in the run:\n\n{recorded.rstrip()}")
    return failure


def _of_no_step(unknown: StepFailedError) -> WorkflowError:
    made = WorkflowError(*unknown.args)
    vars(made).update(vars(unknown))
    made.__cause__ = unknown.__cause__
    made.__suppress_context__ = unknown.__suppress_context__
    return made


def _text(error: BaseException | None) -> str:
    if error is None:
        return "no error was recorded"
    try:
        text = str(error)
    except Exception:  # the __str__ of a user's own exception
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__

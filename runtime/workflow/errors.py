"""Every exception of the runtime, each with a stable code.

Codes appear in logs, in `wfc inspect` and in HTTP answers, so they never change meaning. Each has a
page that says why it happens and what to do: docs/errors, `wfc explain CODE`. This module imports
nothing of ours; everything else may import it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import ClassVar

__all__ = [
    "BundleError",
    "BusyWorkflowError",
    "ContextError",
    "DeadlineExceededError",
    "DecryptionError",
    "DirectCallError",
    "DivergenceError",
    "FatalError",
    "FetchError",
    "FetchRefusedError",
    "HookConflictError",
    "HookNotFoundError",
    "InternalError",
    "LogTooLongError",
    "PendingActionError",
    "PendingActionExpiredError",
    "ReplayCheckError",
    "RetryableError",
    "RunEndedError",
    "SandboxError",
    "SerializationError",
    "StepCrashedError",
    "StepFailedError",
    "StepNotRegisteredError",
    "StepTimeoutError",
    "StreamError",
    "WebhookAnsweredError",
    "WebhookError",
    "WorkflowBlockedError",
    "WorkflowError",
    "WorkflowNotRegisteredError",
    "WorkflowRunCancelledError",
    "WorkflowRunFailedError",
    "WorkflowRunNotCompletedError",
    "WorkflowRunNotFoundError",
    "WorldError",
    "WorldUnavailableError",
]


class WorkflowError(Exception):
    """Base of all errors the runtime raises. `code` is stable and safe to match on.

    `wfc explain CODE` says why it happens and what to do.
    """

    code: ClassVar[str] = "workflow-error"


# -- raised by step authors ------------------------------------------------------------------


class FatalError(WorkflowError):
    """Raise it in a step to fail at once: the step is not retried."""

    code = "fatal"


class RetryableError(WorkflowError):
    """Raise it in a step to choose when the next attempt happens.

    `retry_after` is seconds, a duration string such as `"5m"`, a timedelta, or an aware datetime;
    default 1 second.
    """

    code = "retryable"

    def __init__(
        self, message: str = "", *, retry_after: float | str | timedelta | datetime | None = None
    ) -> None:
        super().__init__(message)
        self.retry_after = 1.0 if retry_after is None else retry_after


class StreamError(FatalError):
    """A stream broke off: whoever wrote it has failed, or is gone. `__cause__` is its error if any.

    What was written before is read first. A stream does not come back, so a step that lets this
    error out is not retried.
    """

    code = "stream"


# -- raised in workflow bodies ---------------------------------------------------------------


class StepFailedError(WorkflowError):
    """A step failed with an exception whose class cannot be rebuilt in the workflow.

    `type_name` is the qualified name of the original class. `str(error)` begins with its last part
    and goes on with the message: `Odd: two`.
    """

    code = "step-failed"

    def __init__(self, message: str = "", *, type_name: str = "Exception") -> None:
        super().__init__(message)
        self.type_name = type_name


class FetchError(WorkflowError):
    """`fetch` got no response: no connection, a broken one, or none in time. It is tried again."""

    code = "fetch"


class FetchRefusedError(FetchError, FatalError):
    """What `fetch` was asked for is not done, and another attempt would not change that: the
    response is too large, the address not public, the certificate not trusted, the URL wrong."""

    code = "fetch-refused"


class StepTimeoutError(WorkflowError, TimeoutError):
    """A step attempt ran longer than its `timeout`, and no attempt was left."""

    code = "step-timeout"


class StepCrashedError(WorkflowError):
    """The process that ran the step died, and no attempt was left."""

    code = "step-crashed"


class WorkflowBlockedError(WorkflowError):
    """The body waits, but for nothing that a fact could ever bring."""

    code = "blocked"


class BusyWorkflowError(WorkflowError):
    """The body has gone through more than `rounds` rounds of loops without waiting for anything.

    The run ends with it, also when the body catches it.
    """

    code = "busy"

    def __init__(self, rounds: int = 0) -> None:
        super().__init__(
            f"the workflow body has run through {rounds:,} rounds of loops without waiting for "
            "anything, and nothing else can run meanwhile. Move long computations into a step; in "
            "a loop that waits for something to change, await a hook or sleep()"
        )
        self.rounds = rounds


class LogTooLongError(WorkflowError):
    """The log of the run has more than `limit` events, and the run was ended."""

    code = "log-too-long"

    def __init__(self, limit: int = 0) -> None:
        super().__init__(
            f"the log of the run has more than {limit:,} events. Start a run for each part of the "
            "work, or let a step do what the loop does; WORKFLOW_MAX_EVENTS sets the limit"
        )
        self.limit = limit


class DeadlineExceededError(WorkflowError, TimeoutError):
    """The run was not done by its deadline (`deadline`, microseconds since the epoch)."""

    code = "deadline-exceeded"

    def __init__(self, deadline: int = 0) -> None:
        moment = datetime.fromtimestamp(deadline / 1_000_000, UTC).isoformat(timespec="seconds")
        super().__init__(f"the run was not done by its deadline, {moment}")
        self.deadline = deadline


class PendingActionExpiredError(WorkflowError, TimeoutError):
    """Nobody answered the pending action `step` within its lifetime."""

    code = "expired"

    def __init__(self, step: str = "", seconds: float = 0.0) -> None:
        super().__init__(f"nobody answered the pending action {step!r} within {seconds:g} s")
        self.step = step
        self.seconds = seconds


class HookConflictError(WorkflowError):
    """The token of a hook or webhook is held by an open run (`run_id`), mostly another one.

    `conflicting_run_id` is that run, too.
    """

    code = "hook-conflict"

    def __init__(self, token: str = "", run_id: str = "", *, own: bool = False) -> None:
        by = "another hook of this run. Dispose of that one first" if own else run_id
        super().__init__(f"the token {token!r} is already in use by {by}")
        self.token = token
        self.run_id = run_id

    @property
    def conflicting_run_id(self) -> str:
        """As `run_id`, in a word that does not leave open which run is meant."""
        return self.run_id


class WebhookError(WorkflowError):
    """A webhook request was not answered, or cannot be: `wfc explain webhook-response-not-sent`."""

    code = "webhook"


class WebhookAnsweredError(WebhookError, FatalError):
    """`respond_with()` came second: the caller of the webhook has its answer."""

    code = "webhook-answered"


class SerializationError(WorkflowError):
    """A value cannot be recorded, or recorded bytes cannot be read.

    `path` names the offending field, for example `args.order.items[3].callback`; `position` is
    the place in the log of a recorded value that a replay cannot read, else 0. `advice` is the end
    of the text where a class has changed since a value was recorded: how to change it back.
    """

    code = "serialization"
    advice = ""

    def __init__(self, message: str, *, path: str = "", advice: str = "") -> None:
        fact = f"{path}: {message}" if path else message
        super().__init__(f"{fact}. {advice}" if advice else fact)
        self.path = path
        self.position = 0
        if advice:
            self.advice = advice

    @property
    def fact(self) -> str:
        """The text without the advice."""
        return str(self).removesuffix(f". {self.advice}") if self.advice else str(self)


class DecryptionError(SerializationError):
    """A recorded value is encrypted, and this process cannot open it.

    It lacks the key, or the bytes were changed. A run that meets this in a worker is parked: it can
    go on when the key is back.
    """

    code = "decryption"


class ContextError(WorkflowError):
    """A function was used where it cannot work, such as `sleep()` outside a workflow body."""

    code = "context"


class DirectCallError(ContextError):
    """A workflow function was called like an ordinary function. Use `start(fn, ...)`."""

    code = "direct-call"


class SandboxError(WorkflowError):
    """Workflow code reached for something the sandbox does not give out."""

    code = "sandbox"


# -- raised to applications ------------------------------------------------------------------


class WorkflowRunNotFoundError(WorkflowError):
    """No run has this id."""

    code = "run-not-found"

    def __init__(self, run_id: str) -> None:
        super().__init__(
            f"no run {run_id!r} in this world. Is the id whole, and is this the world that the run "
            "was started in (WORKFLOW_TARGET_WORLD)?"
        )
        self.run_id = run_id


class WorkflowRunFailedError(WorkflowError):
    """The run ended as failed. `__cause__` is the error of its body, `error_code` its code."""

    code = "run-failed"

    def __init__(self, run_id: str, message: str, *, error_code: str = "workflow-error") -> None:
        super().__init__(f"{run_id} failed: {message}")
        self.run_id = run_id
        self.error_code = error_code


class WorkflowRunCancelledError(WorkflowError):
    """The run ended as cancelled."""

    code = "run-cancelled"

    def __init__(self, run_id: str, reason: str = "") -> None:
        super().__init__(f"{run_id} was cancelled" + (f": {reason}" if reason else ""))
        self.run_id = run_id
        self.reason = reason


class WorkflowRunNotCompletedError(WorkflowError, TimeoutError):
    """The run did not end in the time that the caller was ready to wait. It goes on.

    `status` is how the run was then; "" for the child of a workflow body, which cannot look.
    """

    code = "run-not-completed"

    def __init__(self, run_id: str = "", status: str = "", seconds: float = 0.0) -> None:
        state = f"is {status} and " if status else ""
        super().__init__(f"{run_id} did not end within {seconds:g} s; it {state}goes on")
        self.run_id = run_id
        self.status = status


class PendingActionError(WorkflowError):
    """The run has no such pending action, or takes no such answer. `step` is what was named."""

    code = "pending-action"

    def __init__(self, message: str = "", *, step: str = "") -> None:
        super().__init__(message)
        self.step = step


class RunEndedError(WorkflowError):
    """The run has ended and accepts nothing more."""

    code = "run-ended"


class HookNotFoundError(WorkflowError):
    """No open hook has this token: never created, disposed, or its run has ended."""

    code = "hook-not-found"

    def __init__(self, token: str) -> None:
        super().__init__(
            f"no open hook has the token {token!r}; it was never created, was disposed, "
            "or its run has ended"
        )
        self.token = token


class WorkflowNotRegisteredError(WorkflowError):
    """The function or id is not a workflow of the loaded bundle.

    `wfc explain start-invalid-workflow-function` has an example.
    """

    code = "workflow-not-registered"


class StepNotRegisteredError(WorkflowError):
    """The step id is not in the code of this worker."""

    code = "step-not-registered"


class BundleError(WorkflowError):
    """The generated files are missing, stale or unreadable. Run `wfc build`."""

    code = "bundle"


# -- raised by the core and the worlds -------------------------------------------------------


class DivergenceError(WorkflowError):
    """The log of a run and its code disagree. Never raised inside workflow code.

    `position` is the log position (from 1), `recorded` what the log says there, `asked` what the
    code asked for, `source` the line of the user's file that asked, as `path:line`; `hint` is a
    guess at what was changed.
    """

    code = "divergence"

    def __init__(
        self, position: int, recorded: str, asked: str, source: str = "", *, hint: str = ""
    ) -> None:
        where = f" at {source}" if source else ""
        super().__init__(
            f"replay differs from the log at position {position}: "
            f"the log says {recorded}, the code{where} asked for {asked}"
            + (f". Likely cause: {hint}" if hint else "")
        )
        self.position = position
        self.recorded = recorded
        self.asked = asked
        self.source = source
        self.hint = hint


class ReplayCheckError(WorkflowError):
    """A cold replay of a run does not do what its live copy has just done: see `position`.

    Only raised where turns are checked (WORKFLOW_REPLAY_CHECK), and never inside workflow code.
    """

    code = "replay-check"

    def __init__(self, run_id: str, position: int, difference: str) -> None:
        super().__init__(
            f"a cold replay of {run_id} does not do what its live copy has just done, at position "
            f"{position}: {difference}. Nothing of this turn was recorded. Either two executions "
            "of the body can differ in something the sandbox does not see, such as the order of a "
            "set, or this is a bug in workflow-compiler; please report it"
        )
        self.position = position


class WorldError(WorkflowError):
    """The storage cannot do what was asked: locked, full, read-only, corrupted, or closed."""

    code = "world"


class WorldUnavailableError(WorldError):
    """The storage does not answer at the moment; trying again later may help."""

    code = "world-unavailable"


class InternalError(WorkflowError):
    """A mistake of ours, not of the user. Please report it."""

    code = "internal"

    def __init__(self, message: str) -> None:
        super().__init__(f"{message} (this is a bug in workflow-compiler; please report it)")

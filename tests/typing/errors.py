"""Errors, and what they carry, as type checkers see them. Checked by mypy and pyright strict, never
run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import assert_type

from workflow import (
    FatalError,
    FetchError,
    FetchRefusedError,
    HookConflictError,
    PendingActionExpiredError,
    RetryableError,
    SerializationError,
    StepCrashedError,
    StepFailedError,
    StepTimeoutError,
    StreamError,
    WebhookError,
    WorkflowError,
    create_hook,
    errors,
)
from workflow.api import Run


async def work(how: str) -> str:
    """A step says how it failed."""
    "use step"
    match how:
        case "never":
            raise FatalError("it would not help")
        case "seconds":
            raise RetryableError("later", retry_after=1.5)
        case "text":
            raise RetryableError(retry_after="5m")
        case "timedelta":
            raise RetryableError("later", retry_after=timedelta(minutes=5))
        case "moment":
            raise RetryableError("later", retry_after=datetime.now(UTC))
        case "wrongly":
            raise RetryableError("later", retry_after=[5])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        case _:
            raise RetryableError("later", "5m")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def flow(how: str) -> str:
    """What a body may catch."""
    "use workflow"
    try:
        await create_hook(str, token="t")
        return await work(how)
    except HookConflictError as conflict:
        return assert_type(conflict.run_id, str) + assert_type(conflict.token, str)
    except StepFailedError as error:
        return assert_type(error.type_name, str)
    except SerializationError as error:
        return assert_type(error.path, str)
    except PendingActionExpiredError as error:
        assert_type(error.seconds, float)
        return assert_type(error.step, str)
    except (FetchRefusedError, FetchError, StreamError, WebhookError, StepCrashedError) as error:
        return str(error)
    except TimeoutError:
        return "late"
    except WorkflowError as error:
        assert_type(error.code, str)
        print(error.text)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
        return str(error)


def relations(late: StepTimeoutError, given_up: StreamError, refused: FetchRefusedError) -> None:
    """What is caught by what."""
    timeouts: list[TimeoutError] = [late]
    final: list[FatalError] = [given_up, refused]
    ours: list[WorkflowError] = [late, *final]
    wrong: list[FatalError] = [late]  # type: ignore[list-item]  # pyright: ignore[reportAssignmentType]
    print(timeouts, ours, wrong)


async def outside(run: Run[str]) -> None:
    """What whoever waits for a run may catch."""
    try:
        await run.result("1s")
    except errors.WorkflowRunNotCompletedError as late:
        assert_type(late.status, str)
    except errors.WorkflowRunFailedError as failed:
        assert_type(failed.error_code, str)
        assert_type(failed.run_id, str)
        assert_type(failed.__cause__, BaseException | None)
    except errors.WorkflowRunCancelledError as cancelled:
        assert_type(cancelled.reason, str)
    except errors.WorkflowRunNotFoundError as nowhere:
        assert_type(nowhere.run_id, str)
    except errors.HookNotFoundError as nobody:
        assert_type(nobody.token, str)
    except errors.PendingActionError as refused:
        assert_type(refused.step, str)
    except errors.DivergenceError as parked:
        assert_type(parked.position, int)

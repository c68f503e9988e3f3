"""What is recorded of the error that ends a run."""

from __future__ import annotations

from workflow.codec import Codec
from workflow.errors import ContextError, WorkflowError
from workflow.replay.frames import recorded_traceback

__all__ = ["recorded_failure"]


def recorded_failure(codec: Codec, error: BaseException) -> tuple[bytes, str]:
    """The payload and the code of `run_failed`.

    The text of an error is made by the user's code, which may end in anything, also in what is no
    Exception: then the run fails with an error that says so, and the worker goes on.
    """
    try:
        payload = codec.encode_error(error, traceback=recorded_traceback(error))
    except BaseException as untold:
        error = ContextError(
            f"the workflow failed with {type(error).__name__}, of which no text could be made: "
            f"that ended with {type(untold).__name__}"
        )
        payload = codec.encode_error(error, traceback="")
    return payload, error.code if isinstance(error, WorkflowError) else "user-error"

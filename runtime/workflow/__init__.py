"""What workflow authors import: sleeping, hooks, webhooks, streams, metadata and errors.

Applications use `workflow.api`. Names are loaded when first used, so that `import workflow` costs
next to nothing in a process that only defines workflows.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workflow.authoring.actions import pending_action
    from workflow.authoring.fetch import fetch
    from workflow.authoring.hooks import (
        Hook,
        HookDefinition,
        Webhook,
        create_hook,
        create_webhook,
        define_hook,
    )
    from workflow.authoring.metadata import (
        StepMetadata,
        WorkflowMetadata,
        get_step_metadata,
        get_workflow_metadata,
        set_attributes,
    )
    from workflow.authoring.readable import Readable, StreamChunk, StreamPage
    from workflow.authoring.sleep import sleep
    from workflow.authoring.streams import Writable, get_writable
    from workflow.errors import (
        FatalError,
        FetchError,
        FetchRefusedError,
        HookConflictError,
        HookNotFoundError,
        PendingActionExpiredError,
        RetryableError,
        RunEndedError,
        SerializationError,
        StepCrashedError,
        StepFailedError,
        StepTimeoutError,
        StreamError,
        WebhookError,
        WorkflowError,
        WorkflowRunCancelledError,
        WorkflowRunFailedError,
        WorkflowRunNotCompletedError,
    )
    from workflow.policy.retry import Backoff, step_options
    from workflow.web import FormData, FormFile, Headers, Request, Response, URLSearchParams

__version__ = "0.1.0"

__all__ = [
    "Backoff",
    "FatalError",
    "FetchError",
    "FetchRefusedError",
    "FormData",
    "FormFile",
    "Headers",
    "Hook",
    "HookConflictError",
    "HookDefinition",
    "HookNotFoundError",
    "PendingActionExpiredError",
    "Readable",
    "Request",
    "Response",
    "RetryableError",
    "RunEndedError",
    "SerializationError",
    "StepCrashedError",
    "StepFailedError",
    "StepMetadata",
    "StepTimeoutError",
    "StreamChunk",
    "StreamError",
    "StreamPage",
    "URLSearchParams",
    "Webhook",
    "WebhookError",
    "WorkflowError",
    "WorkflowMetadata",
    "WorkflowRunCancelledError",
    "WorkflowRunFailedError",
    "WorkflowRunNotCompletedError",
    "Writable",
    "create_hook",
    "create_webhook",
    "define_hook",
    "fetch",
    "get_step_metadata",
    "get_workflow_metadata",
    "get_writable",
    "pending_action",
    "set_attributes",
    "sleep",
    "step_options",
]

_HOMES = {
    "workflow.authoring.actions": ("pending_action",),
    "workflow.authoring.fetch": ("fetch",),
    "workflow.authoring.hooks": (
        "Hook",
        "HookDefinition",
        "Webhook",
        "create_hook",
        "create_webhook",
        "define_hook",
    ),
    "workflow.authoring.metadata": (
        "StepMetadata",
        "WorkflowMetadata",
        "get_step_metadata",
        "get_workflow_metadata",
        "set_attributes",
    ),
    "workflow.authoring.sleep": ("sleep",),
    "workflow.authoring.readable": ("Readable", "StreamChunk", "StreamPage"),
    "workflow.authoring.streams": ("Writable", "get_writable"),
    "workflow.errors": (
        "FatalError",
        "FetchError",
        "FetchRefusedError",
        "HookConflictError",
        "HookNotFoundError",
        "PendingActionExpiredError",
        "RetryableError",
        "RunEndedError",
        "SerializationError",
        "StepCrashedError",
        "StepFailedError",
        "StepTimeoutError",
        "StreamError",
        "WebhookError",
        "WorkflowError",
        "WorkflowRunCancelledError",
        "WorkflowRunFailedError",
        "WorkflowRunNotCompletedError",
    ),
    "workflow.policy.retry": ("Backoff", "step_options"),
    "workflow.web": (
        "FormData",
        "FormFile",
        "Headers",
        "Request",
        "Response",
        "URLSearchParams",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(
            f"module 'workflow' has no attribute {name!r}; applications find start(), get_run() "
            "and resume_hook() in workflow.api"
        )
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

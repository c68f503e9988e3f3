"""What steps and workflows are told about themselves: values that can be recorded and passed on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["StepMetadata", "WorkflowMetadata"]


@dataclass(frozen=True)
class StepMetadata:
    """`step_id` is the same over all attempts and unique: use it as an idempotency key.

    `attempt` counts from 1; `step_started_at` is when this attempt began (UTC).
    """

    step_id: str
    step_name: str
    step_started_at: datetime
    attempt: int


@dataclass(frozen=True)
class WorkflowMetadata:
    """The run: its id, the workflow's name, when its first turn began, the address of the app.

    `parent_run_id` is the run whose body or step started this one, None when an application did.
    """

    workflow_run_id: str
    workflow_name: str
    workflow_started_at: datetime
    url: str
    parent_run_id: str | None = None

"""What code can learn about the run and the step it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from workflow.authoring.context import attributes_of, body, current_step, moment
from workflow.errors import ContextError
from workflow.replay.loop import running

__all__ = [
    "StepMetadata",
    "WorkflowMetadata",
    "get_step_metadata",
    "get_workflow_metadata",
    "set_attributes",
]


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


def get_step_metadata() -> StepMetadata:
    """About the step attempt that is running. Raises ContextError outside of a step."""
    context = current_step()
    if context is None:
        raise ContextError(
            "get_step_metadata() works in a step that a workflow called; called directly, "
            "a step is an ordinary function without metadata"
        )
    return StepMetadata(
        context.step_id, context.step_name, context.step_started_at, context.attempt
    )


def get_workflow_metadata() -> WorkflowMetadata:
    """About the run, in its body and in its steps. Raises ContextError elsewhere."""
    context = current_step()
    if context is not None:
        return WorkflowMetadata(
            context.run_id,
            context.workflow_name,
            context.workflow_started_at,
            context.base_url,
            context.parent_run_id,
        )
    run = body("get_workflow_metadata()", "Outside, the Run object has run_id and created_at.")
    name = run.workflow.rpartition("//")[2]
    started = moment(run.started_at)
    return WorkflowMetadata(run.run_id, name, started, run.base_url, run.parent)


async def set_attributes(changes: dict[str, str | None]) -> None:
    """Set searchable attributes of the run; None removes one. For bodies and steps.

    At most 64 attributes, names up to 256 characters, values up to 256 bytes; ValueError beyond.
    TypeError for anything but a dict of texts.
    """
    checked = attributes_of(changes, removing=True)
    loop = running()
    if loop is not None:
        loop.run.set_attributes(checked)
        return
    context = current_step()
    if context is None:
        raise ContextError("set_attributes() works in a workflow body or in a step")
    await context.set_attributes(checked)

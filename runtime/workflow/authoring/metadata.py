"""What code can learn about the run and the step it belongs to."""

from __future__ import annotations

from workflow.authoring.context import attributes_of, body, current_step, moment
from workflow.errors import ContextError
from workflow.facts import StepMetadata, WorkflowMetadata
from workflow.replay.loop import running

__all__ = [
    "StepMetadata",
    "WorkflowMetadata",
    "get_step_metadata",
    "get_workflow_metadata",
    "set_attributes",
]


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

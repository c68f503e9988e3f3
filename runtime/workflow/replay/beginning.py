"""The call that begins a body, out of what `start()` has recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workflow.errors import WorkflowNotRegisteredError
from workflow.policy.arguments import spread
from workflow.policy.names import short_name

__all__ = ["first_call"]


def first_call(
    workflow: str, entry: Callable[..., Any], arguments: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """The positional and keyword arguments for `entry`.

    Raises WorkflowNotRegisteredError when it does not take the recorded ones: the workflow of that
    id has other parameters in the code that started the run. That is no failure of the run's.
    """
    try:
        return spread(entry, arguments)
    except TypeError as error:
        raise WorkflowNotRegisteredError(
            f"the workflow {short_name(workflow)!r} ({workflow}) does not take the recorded "
            f"arguments: {error}. Its parameters have changed since, or the run was started by its "
            "id with others. Start a worker of a build that takes them"
        ) from error

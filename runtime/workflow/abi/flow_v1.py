"""What compiled workflow code imports, version 1: the call of a step.

Generated code of this version must run for as long as runs pinned to it are open, so nothing here
changes its meaning. A new meaning is a new module.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any

from workflow.authoring.context import body

__all__ = ["step"]


def step(
    step_id: str, arguments: dict[str, Any], captured: Mapping[str, Any] | None = None, /
) -> Awaitable[Any]:
    """Record the call of a step and return an awaitable for its result.

    `captured` are the variables that a nested step uses of the function around it, by name, with
    the values they have now. Raises SerializationError when something cannot be recorded.
    """
    return body("a step's stub", "Import the step from your own module.").call_step(
        step_id, arguments, captured
    )

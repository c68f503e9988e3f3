"""What generated client modules import, version 1: functions that refuse to be called.

A client module stands in for one whose code is elsewhere. It is imported by processes that only
start runs, so this module imports nothing heavy.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from workflow.classes import register_class
from workflow.errors import ContextError, DirectCallError

__all__ = ["register_class", "step", "workflow"]

F = TypeVar("F", bound=Callable[..., Any])


def workflow(workflow_id: str, /) -> Callable[[F], F]:
    """Make `start()` find the workflow by its id, and each direct call raise DirectCallError."""

    def made(function: F) -> F:
        name = function.__qualname__

        @functools.wraps(function)
        def refuse(*args: Any, **kwargs: Any) -> Any:
            raise DirectCallError(
                f"{name} is a workflow; calling it directly would neither record nor resume it."
                f" Use `await start({name}, ...)` from workflow.api"
            )

        refuse.workflow_id = workflow_id  # type: ignore[attr-defined]
        return cast(F, refuse)

    return made


def step(step_id: str, /) -> Callable[[F], F]:
    """Make each call raise ContextError: the code of the step is with the workers."""

    def made(function: F) -> F:
        name = function.__qualname__

        @functools.wraps(function)
        def refuse(*args: Any, **kwargs: Any) -> Any:
            raise ContextError(
                f"{name} is a step and its code is not in the client module, which only starts"
                f" workflows. Import {name} from your own module to call it as a function"
            )

        refuse.step_id = step_id  # type: ignore[attr-defined]
        return cast(F, refuse)

    return made

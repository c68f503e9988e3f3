"""The live functions of a project: steps, workflows and classes, by id."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workflow.errors import StepNotRegisteredError, WorkflowNotRegisteredError
from workflow.policy.retry import StepOptions, options_of

__all__ = ["Registry", "Step"]


class Step:
    """One step as it is in this process: its function and the settings found on it."""

    def __init__(self, step_id: str, function: Callable[..., Any]) -> None:
        self.id = step_id
        self.function = function
        self.is_async = inspect.iscoroutinefunction(inspect.unwrap(function))
        self.options: StepOptions = options_of(function)


class Registry:
    """What `generated/step.py` fills. `file` is that file; its folder holds the manifest."""

    def __init__(self, file: str = "") -> None:
        self.folder = Path(file).resolve().parent if file else None
        self.steps: dict[str, Step] = {}
        self.workflows: dict[str, Callable[..., Any]] = {}
        self.classes: dict[str, type] = {}

    def step(self, step_id: str, function: Any) -> None:
        """Register the user's own function; its body is never touched.

        Raises ValueError or TypeError for options that make no sense, such as `max_retries = -1`.
        """
        self.steps[step_id] = Step(step_id, _plain(function))

    def workflow(self, workflow_id: str, function: Any) -> None:
        """Register a workflow and make awaiting a direct call of it raise DirectCallError.

        Outside of the bundle the body must not run: it would neither be recorded nor survive. The
        function object stays the same, so every module that imported it sees the change.
        """
        self.workflows[workflow_id] = function
        function.workflow_id = workflow_id
        code = getattr(function, "__code__", None)  # a decorator may have left something else
        if code is not None and not code.co_freevars:
            function.__signature__ = inspect.signature(function)
            function.__kwdefaults__ = None
            function.__code__ = _refuse.__code__.replace(
                co_name=function.__name__,
                co_consts=tuple(
                    constant.replace("{workflow}", function.__qualname__)
                    if isinstance(constant, str)
                    else constant
                    for constant in _refuse.__code__.co_consts
                ),
            )

    def cls(self, class_id: str, cls: type) -> None:
        """Register a class whose instances may be recorded."""
        self.classes[class_id] = cls

    def find_step(self, step_id: str) -> Step:
        """Raises StepNotRegisteredError."""
        step = self.steps.get(step_id)
        if step is None:
            raise StepNotRegisteredError(f"{step_id} is not in the code of this worker")
        return step

    def id_of(self, workflow: Any) -> str:
        """The id of a workflow function or id string; a short name will do when it is unique.

        Raises WorkflowNotRegisteredError, which lists the ids when a name is ambiguous or unknown.
        """
        if not isinstance(workflow, str):
            found = getattr(workflow, "workflow_id", None)
            if isinstance(found, str):
                return found
            name = getattr(workflow, "__qualname__", repr(workflow))
            if any(step.function is workflow for step in self.steps.values()):
                raise WorkflowNotRegisteredError(
                    f"{name} is a step; start() takes a workflow. Call a step from a workflow, or "
                    "call it directly as an ordinary function"
                )
            raise WorkflowNotRegisteredError(
                f'{name} is not a workflow of the loaded bundle. Mark it "use workflow", run '
                "`wfc build`, and load it with with_workflow(app) or its id string"
            )
        if workflow in self.workflows:
            return workflow
        matches = sorted(i for i in self.workflows if i.rpartition("//")[2] == workflow)
        if len(matches) == 1:
            return matches[0]
        known = "\n  ".join(matches or sorted(self.workflows) or ["(none)"])
        problem = "is ambiguous; give the full id" if matches else "is not known; there are"
        raise WorkflowNotRegisteredError(f"workflow {workflow!r} {problem}:\n  {known}")

    @property
    def fingerprint(self) -> str:
        """A hash of the step ids: workers with equal fingerprints can do the same work."""
        return hashlib.sha256("\n".join(sorted(self.steps)).encode()).hexdigest()[:16]


def _plain(function: Any) -> Callable[..., Any]:
    return function.__func__ if isinstance(function, staticmethod | classmethod) else function


async def _refuse(*args: Any, **kwargs: Any) -> Any:
    # A coroutine function, as the one whose code it replaces: Python refuses other kinds. It runs
    # with the globals of the user's module, so it can use nothing but its own constants.
    from workflow.errors import DirectCallError

    raise DirectCallError(
        "{workflow} is a workflow; calling it directly would neither record nor resume it."
        " Use `await start(function, ...)` from workflow.api"
    )

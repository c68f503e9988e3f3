"""The live functions of a project: steps, workflows and classes, by id."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from workflow.codec.closures import rebuild
from workflow.codec.references import Known, StepReference, WorkflowReference
from workflow.engine.live_code import nested_code, original, plain, refuse_calls
from workflow.errors import StepNotRegisteredError, WorkflowNotRegisteredError
from workflow.policy.arguments import spread
from workflow.policy.names import full_id
from workflow.policy.retry import StepOptions, options_of, step_options

__all__ = ["NestedStep", "Registry", "Step"]


class Step:
    """One step as it is in this process: its function and the settings found on it."""

    def __init__(self, step_id: str, function: Callable[..., Any]) -> None:
        self.id = step_id
        self.function = function
        path, _, name = step_id.rpartition("//")
        behind = original(function, name.replace("#", "."), path.rpartition("/")[2])
        # What the user wrote, where a decorator without functools.wraps hides it.
        self.written: Callable[..., Any] = behind or function
        self.is_async = inspect.iscoroutinefunction(
            inspect.unwrap(function)
        ) or inspect.iscoroutinefunction(self.written)
        self.options: StepOptions = options_of(function)

    def bind(self, captured: Mapping[str, Any]) -> Callable[..., Any]:
        """The function to call for a recorded call that captured these variables."""
        return self.function

    def spread(
        self, function: Callable[..., Any], arguments: Mapping[str, Any]
    ) -> tuple[list[Any], dict[str, Any]]:
        """Recorded arguments as those of a call of `function`, which `bind` gave.

        A decorator's `(*args, **kwargs)` has no names that the record could be bound to; then the
        parameters are those the user wrote. Raises TypeError when they do not fit.
        """
        try:
            return spread(function, arguments)
        except TypeError:
            if function is not self.function or self.written is function:
                raise
            return spread(self.written, arguments)


class NestedStep(Step):
    """A step inside of another function: each call makes it around its own captured variables."""

    def __init__(
        self, step_id: str, code: CodeType, space: dict[str, Any], options: StepOptions
    ) -> None:
        names = dict.fromkeys(code.co_freevars)
        super().__init__(step_id, rebuild(code, space, names))
        self.options = options
        self._code = code
        self._space = space

    def bind(
        self,
        captured: Mapping[str, Any],
        defaults: tuple[Any, ...] = (),
        kwdefaults: Mapping[str, Any] | None = None,
    ) -> FunctionType:
        """The user's function with its own lines. Raises TypeError when a variable is missing."""
        return rebuild(self._code, self._space, captured, defaults, kwdefaults)


class Registry:
    """What `generated/step.py` fills. `file` is that file; its folder holds the manifest.

    It also tells the codec of the step side which functions it may record, and finds them again.
    """

    def __init__(self, file: str = "") -> None:
        self.folder = Path(file).resolve().parent if file else None
        self.steps: dict[str, Step] = {}
        self.workflows: dict[str, Callable[..., Any]] = {}
        self.classes: dict[str, type] = {}
        # By identity, with the function itself, so that its id is not given to another one.
        self._known: dict[int, tuple[Any, Known]] = {}
        self._nested: dict[tuple[str, str, int], Known] = {}

    def step(self, step_id: str, function: Any) -> None:
        """Register the user's own function; its body is never touched.

        Raises ValueError or TypeError for options that make no sense, such as `max_retries = -1`.
        """
        step = self.steps[step_id] = Step(step_id, plain(function))
        self._known[id(step.function)] = (step.function, Known("step", step_id))

    def nested(self, step_id: str, module: ModuleType, qualname: str, **options: Any) -> None:
        """Register a step that stands inside of another function of `module`.

        `qualname` is its `__qualname__`, such as `outer.<locals>.inner`; `options` are those of
        `step_options`. Only the user's own code object is kept, and the outer function is not run.
        Raises StepNotRegisteredError when the module has no such function.
        """
        code = nested_code(module, qualname)
        if code is None:
            outer, _, inner = qualname.rpartition(".<locals>.")
            raise StepNotRegisteredError(
                f"{step_id}: there is no function {inner!r} inside of {outer!r} in the module "
                f"{module.__name__} as it is loaded here; run `wfc build` again. If {outer!r} is "
                "made by a decorator of yours, give that functools.wraps"
            )
        chosen = options_of(step_options(**options)(_unmarked))
        self.steps[step_id] = NestedStep(step_id, code, vars(module), chosen)
        self._nested[_place(code)] = Known("step", step_id, nested=True)

    def workflow(self, workflow_id: str, function: Any) -> None:
        """Register a workflow and make awaiting a direct call of it raise DirectCallError.

        Outside of the bundle the body must not run: it would neither be recorded nor survive. What
        is changed is the user's own function, also behind decorators, so every module that
        imported it sees the change.
        """
        self.workflows[workflow_id] = function
        outside = plain(function)
        path, _, name = workflow_id.rpartition("//")
        body = original(outside, name, path.rpartition("/")[2])
        if body is None and isinstance(outside, FunctionType) and not outside.__closure__:
            body = outside  # nothing can be behind it
        every: list[Any] = [function, outside, body]
        for each in filter(None, every):
            self._known[id(each)] = (each, Known("workflow", workflow_id))
            with suppress(AttributeError, TypeError):  # an object that takes no attributes
                each.workflow_id = workflow_id
        if body is not None:
            refuse_calls(
                body,
                f"{body.__qualname__} is a workflow; calling it directly would neither record nor "
                f"resume it. Use `await start({body.__qualname__}, ...)` from workflow.api",
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

    # -- what the codec of the step side asks --------------------------------------------------

    def identify(self, function: Any) -> Known | None:
        """What a function is to this project, None when it has not been registered."""
        found = self._known.get(id(function))
        if found is not None:
            return found[1]
        if isinstance(function, FunctionType):
            return self._nested.get(_place(function.__code__))
        if inspect.ismethod(function):
            # Made afresh by every access of a class method.
            found = self._known.get(id(function.__func__))
            if found is not None and self.workflows.get(found[1].id) == function:
                return found[1]
        return None

    def find_function(self, reference: StepReference) -> Any:
        """The live function of a recorded step, or the reference when it is not registered."""
        step = self.steps.get(reference.id)
        if step is None:
            return reference
        if isinstance(step, NestedStep):
            return step.bind(reference.captured, reference.defaults, reference.kwdefaults)
        return step.function

    def find_workflow(self, workflow_id: str) -> Any:
        """The live function of a recorded workflow, None when it is not registered."""
        return self.workflows.get(workflow_id)

    def workflow_ids(self) -> Collection[str]:
        """The ids that `find_workflow` knows."""
        return self.workflows.keys()

    def id_of(self, workflow: Any) -> str:
        """The id of a workflow function or id string; a short name will do when it is unique.

        Raises WorkflowNotRegisteredError, which lists the ids when a name is ambiguous or unknown.
        """
        if isinstance(workflow, WorkflowReference):
            workflow = workflow.id
        if not isinstance(workflow, str):
            found = getattr(workflow, "workflow_id", None)
            if isinstance(found, str):
                return found
            name = getattr(workflow, "__qualname__", repr(workflow))
            if self.identify(plain(workflow)) is not None:
                raise WorkflowNotRegisteredError(
                    f"{name} is a step; start() takes a workflow. Call a step from a workflow, or "
                    "call it directly as an ordinary function"
                )
            raise WorkflowNotRegisteredError(
                f'{name} is not a workflow of the loaded bundle. Mark it "use workflow", run '
                "`wfc build`, and import it from the module that was built; see `wfc explain "
                "start-invalid-workflow-function`"
            )
        return full_id(workflow, self.workflows, self.steps)

    @property
    def listing(self) -> bytes:
        """The step ids, one a line."""
        return "\n".join(sorted(self.steps)).encode()

    @property
    def fingerprint(self) -> str:
        """A hash of the step ids: workers with equal fingerprints can do the same work."""
        return hashlib.sha256(self.listing).hexdigest()[:16]


def _unmarked() -> None:
    """Takes the options of a nested step, which has no function before it is called."""


def _place(code: CodeType) -> tuple[str, str, int]:
    """What tells the code of a nested function from all others, also from an equal one elsewhere.

    Not the object: `nested_code` may have had to read the module's code a second time.
    """
    return (code.co_filename, code.co_qualname, code.co_firstlineno)

"""Functions as values: steps and workflows are recorded by their ids.

A step that is passed on (a tool of an agent, a `functools.partial`, a bound method) is written as
the id under which the project knows it; a nested step also carries what makes it this one: the
captured variables and its defaults. No code is ever recorded, and reading calls nothing: an id is
looked up in the tables that `Functions` stands for, which hold what the build named, and an id that
is not there becomes a value that can only be passed on. A bound method of a step becomes a partial
of the step and its object; of a partial, attributes that somebody set on it are left out.

What a reference stands for depends on the reader. On the step side it is the user's live function,
in workflow code the stub or workflow of the run's own bundle. Calling it is up to the code that
receives it, as with any function. Payloads of hooks come from outside of the project: there
references are refused, on writing and on reading (`references=False`), so that nobody outside can
choose which step a workflow calls.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from types import MethodType
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Protocol, TypeAlias

from workflow.codec.closures import captured_by
from workflow.codec.refusals import Refused
from workflow.errors import StepNotRegisteredError, WorkflowNotRegisteredError

if TYPE_CHECKING:
    from workflow.codec.writer import Writer

__all__ = [
    "NO_FUNCTIONS",
    "OUTSIDE",
    "Functions",
    "Known",
    "NoFunctions",
    "StepReference",
    "WorkflowReference",
    "read_partial",
    "read_step",
    "read_workflow",
    "write",
]

OUTSIDE = (
    "a step, workflow or partial cannot be part of a hook's payload: payloads come from outside of "
    "the project and hold data only. Pass a name, and choose the function in the workflow."
)


@dataclass(frozen=True)
class Known:
    """What a function is to the project. `nested`: it needs its captured variables and defaults."""

    kind: Literal["step", "workflow"]
    id: str
    nested: bool = False


class StepReference:
    """A step that this process, or this run's bundle, does not have. Equal by its content.

    It can be passed on and compared. Calling it raises StepNotRegisteredError.
    """

    __slots__ = ("captured", "defaults", "id", "kwdefaults")

    def __init__(
        self,
        id: str,
        captured: Mapping[str, Any] | None = None,
        defaults: tuple[Any, ...] | None = None,
        kwdefaults: Mapping[str, Any] | None = None,
    ) -> None:
        self.id = id
        self.captured = dict(captured or {})
        self.defaults = defaults or ()
        self.kwdefaults = dict(kwdefaults or {})

    def _content(self) -> tuple[Any, ...]:
        return (self.id, self.captured, self.defaults, self.kwdefaults)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StepReference) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.captured.items())
        return f"<step {_short(self.id)}{' with ' if shown else ''}{shown}>"

    def __call__(self, *_: Any, **__: Any) -> NoReturn:
        raise StepNotRegisteredError(
            f"{self.id} can be passed on here, but not called: this code does not have it. "
            "Import its module where it is called, and build again"
        )


class WorkflowReference:
    """A workflow that this process, or this run's bundle, does not have. Equal by its id."""

    __slots__ = ("id",)

    def __init__(self, id: str) -> None:
        self.id = id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WorkflowReference) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<workflow {_short(self.id)}>"

    def __call__(self, *_: Any, **__: Any) -> NoReturn:
        raise WorkflowNotRegisteredError(f"{self.id} is not in the code of this process")


Reference: TypeAlias = "partial[Any] | StepReference | WorkflowReference"


class Functions(Protocol):
    """What a codec asks about the functions of a project, on one of its two sides."""

    def identify(self, function: Any) -> Known | None:
        """What `function` is, None when it is nothing the project has marked."""

    def find_function(self, reference: StepReference) -> Any:
        """The function a reference stands for, `reference` itself when it is not known.

        Raises TypeError when a nested step is known, but does not fit what was captured.
        """

    def find_workflow(self, workflow_id: str) -> Any:
        """The workflow function, None when it is not known."""

    def workflow_ids(self) -> Collection[str]:
        """The ids that `find_workflow` knows."""


class NoFunctions:
    """Knows no function: every reference stays a reference."""

    def identify(self, function: Any) -> Known | None:
        return None

    def find_function(self, reference: StepReference) -> Any:
        return reference

    def find_workflow(self, workflow_id: str) -> Any:
        return None

    def workflow_ids(self) -> Collection[str]:
        return ()


NO_FUNCTIONS = NoFunctions()


def _short(identifier: str) -> str:
    return identifier.rpartition("//")[2].replace("#", ".")


# -- writing ---------------------------------------------------------------------------------


def write(writer: Writer, value: Any, depth: int) -> str | None:
    """The text of a function or reference; None for what is nothing of the kind.

    Raises Refused where references are not allowed.
    """
    if not callable(value):
        return None
    found = _data_of(writer.functions, value)
    if found is None:
        return None
    if not writer.references:
        raise Refused(OUTSIDE)
    if isinstance(found, partial):
        return _partial(writer, found, depth)
    if isinstance(found, StepReference):
        return _step(writer, found, depth)
    return f'["Workflow",{writer.add(found.id, depth + 1)}]'


def _data_of(functions: Functions, value: Any) -> Reference | None:
    """What is recorded of a function, None when it cannot be."""
    kind = type(value)
    if kind is partial or kind is StepReference or kind is WorkflowReference:
        reference: Reference = value
        return reference
    known = functions.identify(value)
    if known is None:
        if kind is MethodType and functions.identify(value.__func__) is not None:
            return partial(value.__func__, value.__self__)
        return None
    if known.kind == "workflow":
        return WorkflowReference(known.id)
    if not known.nested:
        return StepReference(known.id)
    try:
        captured = captured_by(value)
    except ValueError as unassigned:
        raise Refused(
            f"the step {value.__qualname__} uses {str(unassigned)!r} of the function around it, "
            "which has no value yet. Assign it before the step is passed on."
        ) from None
    return StepReference(known.id, captured, value.__defaults__, value.__kwdefaults__)


def _step(writer: Writer, reference: StepReference, depth: int) -> str:
    parts = [f'"id":{writer.add(reference.id, depth + 1)}']
    if reference.captured:
        parts.append(f'"captured":{_named(writer, reference.captured, depth + 2, "captured")}')
    if reference.defaults:
        parts.append(f'"defaults":{_listed(writer, reference.defaults, depth + 2, "__defaults__")}')
    if reference.kwdefaults:
        defaults = dict(sorted(reference.kwdefaults.items()))
        parts.append(f'"kwdefaults":{_named(writer, defaults, depth + 2, "__kwdefaults__")}')
    return f'["Step",{writer.cons("{" + ",".join(parts) + "}")}]'


def _partial(writer: Writer, value: partial[Any], depth: int) -> str:
    parts = [f'"func":{_at("func", lambda: writer.add(value.func, depth + 2))}']
    if value.args:
        parts.append(f'"args":{_listed(writer, value.args, depth + 2, "args")}')
    if value.keywords:
        parts.append(f'"kwargs":{_named(writer, value.keywords, depth + 2, "keywords")}')
    return f'["Partial",{writer.cons("{" + ",".join(parts) + "}")}]'


def _listed(writer: Writer, items: tuple[Any, ...], depth: int, label: str) -> int:
    return _at(label, lambda: writer.cons(f"[{writer.items(items, depth)}]"))


def _named(writer: Writer, items: Mapping[str, Any], depth: int, label: str) -> int:
    return _at(label, lambda: writer.cons(writer.fields(items, depth)))


def _at(label: str, write: Callable[[], int]) -> int:
    try:
        return write()
    except Refused as refused:
        refused.at(label)
        raise


# -- reading ---------------------------------------------------------------------------------


def read_step(functions: Functions, body: Any) -> Any:
    """The function of a recorded step. Raises TypeError for a malformed body or a wrong fit."""
    if type(body) is not dict or type(body.get("id")) is not str:
        raise TypeError("a step is recorded with its id")
    reference = StepReference(
        body["id"],
        _mapping(body.get("captured", {})),
        tuple(_list(body.get("defaults", []))),
        _mapping(body.get("kwdefaults", {})),
    )
    return functions.find_function(reference)


def read_workflow(functions: Functions, workflow_id: Any) -> Any:
    """The function of a recorded workflow."""
    if type(workflow_id) is not str:
        raise TypeError("a workflow is recorded as its id")
    found = functions.find_workflow(workflow_id)
    return WorkflowReference(workflow_id) if found is None else found


def read_partial(body: Any) -> partial[Any]:
    """A partial of what its entry stands for; nothing is called."""
    if type(body) is not dict or "func" not in body:
        raise TypeError("a partial is recorded with its function")
    return partial(body["func"], *_list(body.get("args", [])), **_mapping(body.get("kwargs", {})))


def _mapping(found: Any) -> dict[str, Any]:
    if type(found) is not dict:
        raise TypeError("expected an object")
    return found


def _list(found: Any) -> list[Any]:
    if type(found) is not list:
        raise TypeError("expected an array")
    return found

"""Which functions of one instance of a bundle are steps and workflows, for the run's codec.

In workflow code a step is its stub. A function is recognised by where it was defined, and then
compared with what stands there; nothing is executed to find that out, as a function that exists
comes out of a module that has been executed already.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import CodeType, MethodType
from typing import Any

from workflow.codec.closures import is_nested, rebuild
from workflow.codec.references import Known, StepReference
from workflow.sandbox.bundle import Bundle

__all__ = ["BundledFunctions", "by_place"]

Place = tuple[str, str]


def by_place(bundle: Bundle) -> dict[Place, Known]:
    """The steps and workflows of a bundle by module and qualified name."""
    found: dict[Place, Known] = {}
    for step_id, place in bundle.steps.items():
        found[place] = Known("step", step_id, nested=is_nested(place[1]))
    for workflow_id, place in bundle.workflows.items():
        found[place] = Known("workflow", workflow_id)
    return found


class BundledFunctions:
    """The functions of `bundle` in one instance of it.

    `known` are those of `by_place`, made once for all instances; `nested` is the code of the stubs
    inside of other functions; `find(id, place)` gives what stands at a place, `namespace(module)`
    the globals of a module.
    """

    def __init__(
        self,
        bundle: Bundle,
        known: Mapping[Place, Known],
        nested: Mapping[str, CodeType],
        find: Callable[[str, Place], Any],
        namespace: Callable[[str], dict[str, Any]],
    ) -> None:
        self._bundle = bundle
        self._known = known
        self._nested = nested
        self._find = find
        self._namespace = namespace

    def identify(self, function: Any) -> Known | None:
        """What a function of workflow code is, None when it has not been marked."""
        plain = function.__func__ if isinstance(function, MethodType) else function
        module, qualname = getattr(plain, "__module__", 0), getattr(plain, "__qualname__", 0)
        if type(module) is not str or type(qualname) is not str:
            return None
        known = self._known.get((module, qualname))
        if known is None:
            return None
        if known.nested:
            code = getattr(function, "__code__", None)
            return known if code is self._nested[known.id] else None
        stands = self._find(known.id, self._place(known))
        if known.kind == "step":
            return known if function is _plain(stands) else None
        # Class methods are bound anew at every access; those of a subclass are another workflow.
        return known if function == stands or function is _plain(stands) else None

    def find_function(self, reference: StepReference) -> Any:
        """The stub of a recorded step, or the reference itself when the bundle does not have it."""
        place = self._bundle.steps.get(reference.id)
        if place is None:
            return reference
        code = self._nested.get(reference.id)
        if code is None:
            return _plain(self._find(reference.id, place))
        space = self._namespace(place[0])
        return rebuild(code, space, reference.captured, reference.defaults, reference.kwdefaults)

    def find_workflow(self, workflow_id: str) -> Any:
        """The workflow function, None when the bundle does not have it."""
        place = self._bundle.workflows.get(workflow_id)
        return None if place is None else self._find(workflow_id, place)

    def workflow_ids(self) -> Collection[str]:
        """The ids that `find_workflow` knows."""
        return self._bundle.workflows.keys()

    def _place(self, known: Known) -> Place:
        table = self._bundle.steps if known.kind == "step" else self._bundle.workflows
        return table[known.id]


def _plain(function: Any) -> Any:
    return function.__func__ if isinstance(function, MethodType) else function

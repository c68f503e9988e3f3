"""Classes of the step side as a workflow body sees them.

An instance of a class that the bundle does not have can still reach the body: as a step's result.
Its class is then the live one, and awaiting one of its steps would run the step's body right there,
unrecorded. So the body gets a subclass instead, whose steps are calls like those of compiled code.
"""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Callable, Mapping
from typing import Any

from workflow.authoring.context import body
from workflow.codec.references import Functions
from workflow.engine.live_code import plain
from workflow.policy.arguments import record

__all__ = ["stand_ins"]


def stand_ins(classes: Mapping[str, type], functions: Functions) -> dict[str, type]:
    """The stand-ins for those of the classes that have steps as methods, by the same ids.

    A class that acts when it is subclassed, by a metaclass or `__init_subclass__`, has none.
    """
    found: dict[str, type] = {}
    for class_id, cls in classes.items():
        stubs = _stubs(cls, functions)
        if stubs and _may_be_subclassed(cls):
            names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__}
            found[class_id] = type(cls)(cls.__name__, (cls,), {"__slots__": (), **names, **stubs})
    return found


def _stubs(cls: type, functions: Functions) -> dict[str, Any]:
    stubs: dict[str, Any] = {}
    for base in reversed(cls.__mro__[:-1]):
        for name, member in vars(base).items():
            function = plain(member)
            known = functions.identify(function) if callable(function) else None
            if known is None or known.kind != "step":
                stubs.pop(name, None)  # overridden by what is no step
                continue
            stub = _stub(known.id, function)
            same_kind = isinstance(member, staticmethod | classmethod)
            stubs[name] = type(member)(stub) if same_kind else stub
    return stubs


def _stub(step_id: str, function: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        run = body("a step of this object", "Call it on the object itself.")
        return await run.call_step(step_id, record(function, args, kwargs))

    return call


def _may_be_subclassed(cls: type) -> bool:
    plain_kind = type(cls) in (type, ABCMeta) or hasattr(cls, "__pydantic_fields__")
    home = getattr(cls.__init_subclass__, "__module__", None) or "typing"
    return plain_kind and home.partition(".")[0] in ("typing", "pydantic")

"""`workflow` itself, as workflow code sees it.

Everything in `workflow.__all__` is given out as it is, but for what would write to an object that
all runs share, or would have pydantic evaluate text as a type.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from workflow.errors import SandboxError
from workflow.sandbox import guards
from workflow.sandbox.annotations import later_names, refuse_text
from workflow.sandbox.facades.adapters import TypeAdapter

__all__ = ["replaced"]


def _checked(kind: Any) -> Any:
    if isinstance(kind, TypeAdapter):
        return kind.__native__  # was looked through when it was made
    for name in later_names(refuse_text(kind)):
        raise SandboxError(f"the type of a hook is given as text, {name!r}; write the type")
    return kind


def _create_hook(type: Any = None, **options: Any) -> Any:
    return import_module("workflow").create_hook(_checked(type), **options)


def _pending_action(step: str, *, type: Any = "input", **options: Any) -> Any:
    kind = type if isinstance(type, str) else _checked(type)
    return import_module("workflow").pending_action(step, type=kind, **options)


def _define_hook(type: Any) -> Any:
    return import_module("workflow").define_hook(_checked(type))


def _step_options(*args: Any, **options: Any) -> Callable[[Any], Any]:
    decorate = import_module("workflow").step_options(*args, **options)
    return lambda function: decorate(guards.writable(function))


_REPLACED: dict[str, Any] = {
    "HookDefinition": _define_hook,
    "create_hook": _create_hook,
    "define_hook": _define_hook,
    "pending_action": _pending_action,
    "step_options": _step_options,
}


def replaced(module: str, names: list[str]) -> dict[str, Any]:
    """The members of a module of ours that are not given out as they are."""
    if module != "workflow":
        return {}
    return {name: value for name, value in _REPLACED.items() if name in names}

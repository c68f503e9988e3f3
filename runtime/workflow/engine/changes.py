"""What a build has changed of the steps and classes that older orchestration code uses. Pure.

A run stays on the code it was begun with, while its steps are those of the build. Arguments are
written by the one and read by the other, and results the other way. Here the two are compared
before any such value is there, so all of it is what *may* happen to a run.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum, Flag
from typing import Any

from workflow.codec.references import StepReference
from workflow.engine.registry import Registry
from workflow.policy.arguments import spread
from workflow.policy.names import short_name
from workflow.sandbox.bundle import Bundle
from workflow.sandbox.program import Instance

__all__ = ["changes"]


def changes(bundle: Bundle, instance: Instance, registry: Registry) -> tuple[str, ...]:
    """Sentences on what may stop a run of `bundle`, whose modules `instance` has, with these steps.

    Steps that are not there at all are not among them.
    """
    return (
        *_starts(bundle, instance, registry),
        *_calls(bundle, instance, registry),
        *_classes(instance, registry),
    )


def _starts(bundle: Bundle, instance: Instance, registry: Registry) -> Iterator[str]:
    sources = [module.source for module in bundle.modules]
    for workflow, place in sorted(bundle.workflows.items()):
        # Only where the code names it beside its definition, as a call of start() has to.
        named = re.compile(rf"(?<!def )\b{re.escape(place[1].rpartition('.')[2])}\b")
        if not any(named.search(source) for source in sources):
            continue
        now = registry.workflows.get(workflow)
        if now is None:
            yield f"it may still start {workflow}, which is not here"
            continue
        with suppress(Exception):  # its module does not load under this Python: the replay says so
            recorded = _call(instance.functions.find_workflow(workflow))
            try:
                spread(now, recorded)
            except TypeError as error:
                yield f"it may still start {workflow} in another way: {error}"


def _calls(bundle: Bundle, instance: Instance, registry: Registry) -> Iterator[str]:
    for step_id, place in sorted(bundle.steps.items()):
        step = registry.steps.get(step_id)
        if step is None or "#" in step_id or "<locals>" in place[1]:
            continue  # gone, or called with more than its parameters
        with suppress(Exception):
            recorded = _call(instance.functions.find_function(StepReference(step_id)))
            try:
                step.spread(step.function, recorded)
            except TypeError as error:
                yield f"it may still call {step_id} in another way: {error}"


def _call(function: Any) -> dict[str, Any]:
    """What could be recorded of a call: every parameter by its name."""
    return dict(map(_argument, inspect.signature(function).parameters.values()))


def _argument(parameter: inspect.Parameter) -> tuple[str, Any]:
    """The name that an argument is recorded under, and something that could be recorded."""
    if parameter.kind is parameter.VAR_POSITIONAL:
        return f"*{parameter.name}", []
    if parameter.kind is parameter.VAR_KEYWORD:
        return f"**{parameter.name}", {}
    return parameter.name, None


# -- classes -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Shape:
    """What is recorded of a class by name: its fields or members, and which have no default."""

    names: frozenset[str]
    needed: frozenset[str]
    is_open: bool
    what: str = "field"


def _classes(instance: Instance, registry: Registry) -> Iterator[str]:
    own = {}
    with suppress(Exception):  # a module does not load under this Python: the replay says so
        own = dict(instance.classes)
    for class_id, old in sorted(own.items()):
        name = short_name(class_id)
        new = registry.classes.get(class_id)
        if new is None:
            yield f"it may stop when it passes {class_id} to a step, as that class is not here"
            continue
        before, now = _shape(old), _shape(new)
        if before is None or now is None:
            continue
        for lack in _lacks(before, now):
            yield f"it may stop when it passes {name} to a step: the class {lack} here"
        for lack in _lacks(now, before):
            yield f"it may stop when a step returns {name}: the class {lack} in the old code"


def _lacks(written: _Shape, reader: _Shape) -> Iterator[str]:
    """What is missing where values of one shape are read as another."""
    more = sorted(written.names - reader.names)
    if more and not reader.is_open:
        yield f"has no {reader.what} {', '.join(map(repr, more))}"
    less = sorted(reader.needed - written.names)
    if less:
        yield f"has no default for {', '.join(map(repr, less))}"


def _shape(kind: Any) -> _Shape | None:
    """None for a class whose values are not recorded by name."""
    if hasattr(kind, "__workflow_deserialize__") or issubclass(kind, Flag):
        return None
    if issubclass(kind, Enum):
        return _Shape(frozenset(kind.__members__), frozenset(), False, "member")
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        names = frozenset(kind._fields)
        return _Shape(names, names - set(kind._field_defaults), False)
    if hasattr(kind, "__pydantic_fields__"):
        known = kind.__pydantic_fields__
        needed = frozenset(name for name, info in known.items() if info.is_required())
        return _Shape(frozenset(known), needed, kind.model_config.get("extra") == "allow")
    if is_dataclass(kind):
        all_ = fields(kind)
        bare = [f for f in all_ if f.default is MISSING and f.default_factory is MISSING]
        needed = frozenset(f.name for f in bare if f.init)
        return _Shape(frozenset(f.name for f in all_), needed, False)
    return None

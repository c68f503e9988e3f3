"""Instances of the classes that the manifest names, rebuilt from their recorded data.

No `__init__` and no validator runs: the value was valid when it was recorded. A field that was
added since takes its default; one that the class has lost is refused with its path, as nothing that
was recorded is lost in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, Flag
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from workflow.codec import stand_ins
from workflow.codec.refusals import segment
from workflow.codec.stand_in_models import ModelParts
from workflow.codec.stand_ins import About, Sealed
from workflow.errors import SerializationError
from workflow.sets import settled

if TYPE_CHECKING:
    from workflow.codec.reader import Reader

__all__ = [
    "PLAIN_TYPES",
    "find_class",
    "generic_of",
    "parts_of_model",
    "read_enum",
    "read_instance",
    "types_of",
]

T = TypeVar("T")
# What a generic model may be made of, beside the classes of the manifest.
PLAIN_TYPES: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        bool, int, float, complex, str, bytes, list, dict, tuple, set, frozenset,
        date, datetime, time, timedelta, Decimal, Fraction, UUID, Path,
    )
}  # fmt: skip


def generic_of(kind: Any) -> Any:
    """The generic pydantic model that a class is a form of, `Box` for `Box[int]`; else None."""
    about = kind.__dict__.get("__pydantic_generic_metadata__")
    return about["origin"] if isinstance(about, dict) else None


def types_of(kind: Any) -> tuple[Any, ...]:
    """What a form of a generic model is made of: classes, or whatever stands in the brackets."""
    return tuple(_Nameless if not isinstance(a, type) else a for a in _arguments(kind))


def _arguments(kind: Any) -> tuple[Any, ...]:
    found: tuple[Any, ...] = kind.__pydantic_generic_metadata__["args"]
    return found


class _Nameless:
    """Stands for a type that is no class, such as `list[int]`."""


def find_class(classes: Mapping[str, type], name: Any) -> Any:
    """The class with this id. Raises SerializationError for one that is not known."""
    found = classes.get(name) if type(name) is str else None
    if found is None:
        raise SerializationError(
            f"the class {str(name)[:200]!r} is not known here",
            advice="It was recorded by a build whose manifest named it; it has been renamed, moved "
            "or removed since.",
        )
    return found


def read_enum(reader: Reader, raw: list[Any], depth: int) -> Any:
    name, member = reader.value(raw[1], depth)
    kind = find_class(reader.classes, name)
    if not issubclass(kind, Enum):
        raise SerializationError(f"the class {name!r} is no longer an Enum")
    try:
        if not issubclass(kind, Flag):
            return kind[member]
        flags = kind(member)
        # Flags that conform leave out what they do not have, as all do in the first Pythons 3.11.
        if getattr(flags, "value", member) != member:
            raise ValueError(member)
        return flags
    except (KeyError, ValueError):
        raise SerializationError(
            f"the {'Flag' if issubclass(kind, Flag) else 'Enum'} {name!r} has no member {member!r} "
            "here",
            advice="Give it this member again until no open run has such a value.",
        ) from None


def read_instance(reader: Reader, raw: list[Any], index: int, depth: int) -> Any:
    """An instance of a known class. One that is made empty is there before its fields are."""
    body = reader.body_of(raw[1])
    kind = find_class(reader.classes, reader.value(body["classId"], depth))
    revive = getattr(kind, "__workflow_deserialize__", None)
    if revive is not None:
        reader.begin(index)
        return reader.made(index, revive(reader.value(body["data"], depth + 1)))
    if type(kind) is Sealed:
        return _read_stand_in(reader, kind, body, index, depth)
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        reader.begin(index)
        state = reader.fields_of(body["data"], depth + 1)
        _refuse_unknown(reader, kind, state, kind._fields)
        for name in kind._fields:
            if name not in state and name not in kind._field_defaults:
                raise _lacking(kind, name)
        return reader.made(index, kind(**state))
    model = hasattr(kind, "__pydantic_fields__") and hasattr(kind, "model_construct")
    if not model and not is_dataclass(kind):
        raise SerializationError(f"the class {kind.__qualname__} cannot be rebuilt from data")
    if model and "types" in body:
        given = reader.value(body["types"], depth)
        kind = kind[tuple(PLAIN_TYPES[t] if isinstance(t, str) else t for t in given)]
    made = reader.made(index, kind.__new__(kind))
    arrange: Callable[[Any], Any] = settled if reader.ordered else _same
    if not model:
        state = reader.fields_of(body["data"], depth + 1)
        _refuse_unknown(reader, kind, state, {each.name for each in fields(kind)})
        _fill_dataclass(made, kind, state, arrange)
        return made
    known = set(kind.__pydantic_fields__)
    more = kind.model_config.get("extra") == "allow"
    state = _state_of_model(reader, kind, body, depth, known, more)
    _fill_model(made, kind, state, arrange)
    return made


def _state_of_model(
    reader: Reader,
    kind: type,
    body: Mapping[str, Any],
    depth: int,
    known: Collection[str],
    more: bool,
) -> dict[str, Any]:
    try:
        state = reader.fields_of(body["data"], depth + 1)
    except SerializationError:
        if reader.trail[-1:] == [".fields"]:  # ours, around the fields of a model
            reader.trail.pop()
        raise
    _refuse_unknown(reader, kind, state["fields"], known)
    if not more:
        _refuse_unknown(reader, kind, state.get("extra") or {}, known)
    reader.charge(8 * len(state["set"]))
    return state


def _read_stand_in(reader: Reader, kind: Any, body: dict[str, Any], index: int, depth: int) -> Any:
    """The recorded fields as attributes. Nothing of the original is asked."""
    about: About = kind.__about__
    if about.form == "model":
        types = reader.value(body["types"], depth) if "types" in body else None
        made = reader.made(index, object.__new__(kind))
        state = _state_of_model(reader, kind, body, depth, about.fields, about.open)
        kept: dict[str, Any] = {"set": state["set"], "private": state.get("private")}
        if types is not None:
            kept["types"] = types
        stand_ins.hide(made, kept)
        held, extra = state["fields"], state.get("extra") or {}
    elif about.form == "fields":
        made = reader.made(index, object.__new__(kind))
        held, extra = reader.fields_of(body["data"], depth + 1), {}
        _refuse_unknown(reader, kind, held, about.fields)
    else:
        raise SerializationError(f"the class {kind.__qualname__} cannot be rebuilt from data")
    arrange: Callable[[Any], Any] = settled if reader.ordered else _same
    for name in about.fields:
        if name not in held and name in about.defaults:
            held[name] = arrange(about.defaults[name]())
    made.__dict__.update(held, **extra)
    return made


def _refuse_unknown(
    reader: Reader, kind: type, recorded: Mapping[str, Any], known: Collection[str]
) -> None:
    for name in recorded:
        if name not in known:
            reader.trail.append(segment(name))
            raise SerializationError(
                f"the recorded {kind.__qualname__} has a field {name!r} that the class does "
                "not have here",
                advice="Give the class this field again, with a default, until no open run has "
                "such a value.",
            )


def _lacking(kind: type, field: str) -> SerializationError:
    return SerializationError(
        f"{kind.__qualname__} has a field {field!r} that the recorded value lacks",
        advice="Give the field a default.",
    )


def _same(value: T) -> T:
    return value


def _fill_dataclass(
    made: Any, kind: Any, state: dict[str, Any], arrange: Callable[[Any], Any]
) -> None:
    """Set the fields without running __init__; fields added since take their defaults."""
    for each in fields(kind):
        if each.name in state:
            item = state[each.name]
        elif each.default is not MISSING:
            item = arrange(each.default)
        elif each.default_factory is not MISSING:
            item = arrange(each.default_factory())
        elif each.init:
            raise _lacking(kind, each.name)
        else:
            continue
        object.__setattr__(made, each.name, item)


def parts_of_model(value: Any, kind: Any) -> ModelParts:
    """What is recorded of a pydantic model."""
    return ModelParts(
        {n: v for n, v in value.__dict__.items() if n in kind.__pydantic_fields__},
        tuple(sorted(value.__pydantic_fields_set__)),
        getattr(value, "__pydantic_extra__", None),
        getattr(value, "__pydantic_private__", None),
    )


def _fill_model(made: Any, kind: Any, state: dict[str, Any], arrange: Callable[[Any], Any]) -> None:
    """The same for a pydantic model; validators do not run, the value was valid when written."""
    held = dict(state["fields"])
    for name, info in kind.__pydantic_fields__.items():
        if name not in held:
            if info.is_required():
                raise _lacking(kind, name)
            default = info.get_default(call_default_factory=True, validated_data=held)
            held[name] = arrange(default)
    allowed = kind.model_config.get("extra") == "allow"
    private = state.get("private")
    object.__setattr__(made, "__dict__", held)
    object.__setattr__(made, "__pydantic_fields_set__", set(state["set"]))
    object.__setattr__(made, "__pydantic_extra__", (state.get("extra") or {}) if allowed else None)
    if private is None and kind.__private_attributes__:
        private = {}
    object.__setattr__(made, "__pydantic_private__", private)

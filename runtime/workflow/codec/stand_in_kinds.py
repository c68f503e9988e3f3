"""Which stand-in a class gets; those of enums and named tuples, which stay what they are."""

from __future__ import annotations

import collections
import dataclasses
import enum
from collections.abc import Mapping
from typing import Any

from workflow.codec import stand_in_models, stand_ins

__all__ = ["make"]

_SCALARS = (int, float, str, bytes)


class _Withheld:
    """In the place of an enum member's value that could be changed, or that has code."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"<value of {self._name}>"

    def __deepcopy__(self, _: object) -> _Withheld:
        return self


def make(
    kind: Any, bases: tuple[type, ...], members: Mapping[str, Any], mark: Mapping[str, Any]
) -> type:
    """The stand-in of a class: named alike, with `members` and nothing else of its code.

    `bases` are the classes by which workflow code catches the exception that `kind` is. `mark` is
    put into classes that cannot be changed, and says that their instances can.
    """
    if issubclass(kind, BaseException):
        return stand_ins.told(kind, bases, {**mark, **members})
    if issubclass(kind, enum.Enum) and kind.__members__:
        return _enum(kind, members)
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return _named_tuple(kind, members)
    if hasattr(kind, "__workflow_deserialize__"):
        return stand_ins.opaque(kind, {**mark, **members})
    if hasattr(kind, "__pydantic_fields__") and hasattr(kind, "model_construct"):
        return stand_in_models.model(kind, {**mark, **members})
    if dataclasses.is_dataclass(kind):
        return stand_ins.data_class(kind, {**mark, **members})
    return stand_ins.opaque(kind, {**mark, **members})


def _enum(kind: Any, members: Mapping[str, Any]) -> type:
    mixin = next((each for each in _SCALARS if issubclass(kind, each)), None)
    values: list[tuple[str, Any]] = []
    for name, member in kind.__members__.items():
        value = member._value_
        if mixin is not None and (type(value) is not mixin or not _equal(mixin, member, value)):
            mixin = None  # made by code of its own
        if not stand_ins.is_plain(value):
            value = _Withheld(f"{kind.__name__}.{member._name_}")
        values.append((name, value))
    options: dict[str, Any] = {"module": kind.__module__, "qualname": kind.__qualname__}
    if issubclass(kind, enum.Flag):
        options["boundary"] = kind._boundary_
        base: Any = enum.IntFlag if issubclass(kind, enum.IntFlag) else enum.Flag
    elif mixin is int and issubclass(kind, enum.IntEnum):
        base = enum.IntEnum
    elif mixin is str and issubclass(kind, enum.StrEnum):
        base = enum.StrEnum
    else:
        base = enum.Enum
        if mixin is not None:
            options["type"] = mixin
    made: type = base(kind.__name__, values, **options)
    for name, member in {"__getattr__": stand_ins.not_there, **members}.items():
        setattr(made, name, member)
    return made


def _equal(mixin: Any, member: Any, value: Any) -> bool:
    """Whether a member of an enum of numbers or texts is its value, by their own comparison."""
    return mixin.__eq__(member, value) is True


def _named_tuple(kind: Any, members: Mapping[str, Any]) -> type:
    defaults: list[Any] = []
    for name in reversed(kind._fields):
        default = kind._field_defaults.get(name, dataclasses.MISSING)
        if not stand_ins.is_plain(default):
            break
        defaults.insert(0, default)
    named: Any = collections.namedtuple
    above = named(kind.__name__, kind._fields, defaults=defaults, module=kind.__module__)
    space = {"__slots__": (), **stand_ins.space_of(kind, members)}
    return type(kind.__name__, (above,), space)

"""Types as data: what is recorded of the type that an answer must have, and the type made of it.

Whoever answers a pending action is mostly another process than the one that asked. Types that are
put together from built-in ones and classes of the project can be told in JSON, and be made again
there from the same parts; everything else is checked by the workflow alone. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Literal, TypeAlias, Union, get_args, get_origin
from uuid import UUID

from workflow.sets import FrozenSet, Set

__all__ = ["Shape", "shape_of", "type_of"]

Shape: TypeAlias = "str | list[Shape]"
"""The name of a built-in type, the id of a class, or a list of how parts are put together."""

_KINDS: tuple[type, ...] = (
    *(bool, int, float, str, bytes, dict, list, tuple, set, frozenset),
    *(date, datetime, time, timedelta, Decimal, UUID),
)
_PLAIN: dict[str, Any] = {"None": NoneType, "Any": Any, **{kind.__name__: kind for kind in _KINDS}}
_NAMES = {kind: name for name, kind in _PLAIN.items()}
_NAMES |= {None: "None", Set: "set", FrozenSet: "frozenset"}
_GENERIC: dict[str, Any] = {kind.__name__: kind for kind in (list, dict, tuple, set, frozenset)}
_MAX_PARTS = 100


def shape_of(kind: Any, id_of: Callable[[type], str | None]) -> Shape | None:
    """What is to be recorded of a type; None for one that can only be checked where it is.

    `id_of` gives the ids of the project's classes.
    """
    try:
        return _shape(kind, id_of, [_MAX_PARTS])
    except (LookupError, TypeError):  # a part that has no name, or is not even hashable
        return None


def _shape(kind: Any, id_of: Callable[[type], str | None], left: list[int]) -> Shape:
    left[0] -= 1
    if left[0] < 0:
        raise LookupError(kind)
    origin = get_origin(kind)
    if origin is None:
        real = getattr(kind, "_real", kind)  # of a twin that workflow code has
        named = _NAMES.get(kind) or _NAMES.get(real)
        if named is None and isinstance(kind, type):
            named = id_of(kind)
        if named is None:
            raise LookupError(kind)
        return named
    if origin is Literal:
        if not all(type(each) is str for each in get_args(kind)):
            raise LookupError(kind)
        return ["literal", *get_args(kind)]
    if origin is Union or origin is UnionType:
        name = "union"
    else:
        name = _NAMES[origin]
        if name not in _GENERIC:
            raise LookupError(kind)
    parts: list[Shape] = [
        "..." if each is Ellipsis else _shape(each, id_of, left) for each in get_args(kind)
    ]
    return [name, *parts]


def type_of(shape: Any, class_of: Callable[[str], type | None]) -> Any:
    """The type that a shape tells of; None when a class in it is not known here."""
    try:
        return _type(shape, class_of)
    except LookupError:
        return None


def _type(shape: Any, class_of: Callable[[str], type | None]) -> Any:
    match shape:
        case "...":
            return Ellipsis
        case str():
            kind = _PLAIN.get(shape) or class_of(shape)
            if kind is None:
                raise LookupError(shape)
            return kind
        case ["literal", *texts]:
            return Literal[tuple(texts)]
        case ["union", *parts]:
            return Union[tuple(_type(part, class_of) for part in parts)]  # noqa: UP007
        case [name, *parts]:
            return _GENERIC[name][tuple(_type(part, class_of) for part in parts)]
        case _:
            raise LookupError(shape)

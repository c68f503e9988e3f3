"""Evaluates the annotations of class bodies once, where they stand, and lets no text through.

dataclasses looks for `ClassVar` in string annotations in the namespace of the *imported* module of
that name, and pydantic evaluates strings there and in the frames of its callers. Workflow classes
must not be resolved against the host's modules, so an annotation becomes real types at once. A name
that does not exist yet becomes a forward reference to that one identifier.
"""

from __future__ import annotations

import collections.abc
import sys
import typing
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from inspect import get_annotations
from types import CellType, FunctionType, GenericAlias, MethodType, UnionType
from typing import Any, ForwardRef

from workflow.errors import SandboxError
from workflow.sandbox.ownership import owns
from workflow.sets import FrozenSet, Set

__all__ = ["concrete", "evaluate", "later_names", "refuse_text"]

_ABSTRACT: dict[Any, Any] = {collections.abc.Set: FrozenSet, collections.abc.MutableSet: Set}
_LITERAL = typing.get_origin(typing.Literal[0])
_FUNCTIONS = (FunctionType, MethodType, partial)


def _reference(name: str) -> Any:
    # TypeVar-like operators (`Node | None`) come with ForwardRef itself.
    return ForwardRef(name, is_argument=False, is_class=True)


def evaluate(thunk: Callable[[], Any], class_name: str) -> Any:
    """The types an annotation of the class `class_name` stands for."""
    code = thunk.__code__
    body = sys._getframe(1).f_locals  # of the class statement, which is what calls this
    missing: dict[str, Any] = {}
    for _ in range(32):
        try:
            value = thunk()
            break
        except NameError as error:
            name = error.name
            if name is None or name in missing:
                raise
            # The thunk sees modules and functions around the class, but not the class body itself.
            missing[name] = body[name] if name in body else _reference(name)
            thunk = _supplied(thunk, code, missing)
        except TypeError:
            # `P[T]` while P is being made: a reference takes no subscript, P stands for it.
            later = [name for name, value in missing.items() if isinstance(value, ForwardRef)]
            if not later:
                raise
            value = missing[later[0]]
            break
    else:
        raise SandboxError(f"an annotation of {class_name} names too many classes not yet defined")
    if type(value) is type:
        return value  # the usual case; a class checked its own annotations when it was made
    return concrete(refuse_text(_named(value)))


def concrete(value: Any) -> Any:
    """The type with abstract sets replaced by sets of workflow code: pydantic makes built-in ones
    for them, as it does here, but those have no order."""
    origin, args = typing.get_origin(value) or value, typing.get_args(value)
    if isinstance(origin, type) and origin in _ABSTRACT:
        return _ABSTRACT[origin][args] if args else _ABSTRACT[origin]
    if not args or origin is _LITERAL:
        return value
    first = len(args) if origin is not typing.Annotated else 1
    made = (*map(concrete, args[:first]), *args[first:])
    if origin is defaultdict:
        made = (*made[:-1], _with_default(made[-1]))
    if all(new is old for new, old in zip(made, args, strict=True)):
        return value
    if origin is typing.Annotated:
        return typing.Annotated[made]
    if origin in (typing.Union, UnionType):
        return typing.Union[made]  # noqa: UP007 - of a tuple
    return value.copy_with(made) if hasattr(value, "copy_with") else GenericAlias(origin, made)


def _with_default(members: Any) -> Any:
    """The type of the values of a `defaultdict`: pydantic knows what a built-in set begins as."""
    origin, pydantic = typing.get_origin(members) or members, sys.modules.get("pydantic")
    if pydantic is None or origin not in (Set, FrozenSet):
        return members
    return typing.Annotated[members, pydantic.Field(default_factory=origin)]


def _supplied(thunk: Callable[[], Any], code: Any, missing: dict[str, Any]) -> Callable[[], Any]:
    """The same expression, with references standing in for the names that do not exist yet."""
    function = typing.cast(FunctionType, thunk)
    cells = []
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        cells.append(CellType(missing[name]) if name in missing else cell)
    namespace = {**function.__globals__, **missing}
    return FunctionType(code, namespace, closure=tuple(cells))


def _named(value: Any) -> Any:
    return _reference(value) if isinstance(value, str) and value.isidentifier() else value


def refuse_text(value: Any) -> Any:
    """Return `value`, a type, unless text to be evaluated later is hidden anywhere in it."""
    _walk(value, set(), 0)
    return value


def _refuse(text: str) -> typing.NoReturn:
    raise SandboxError(
        f"the text {text!r} cannot stand for a type in workflow code; write the type"
    )


def _walk(value: Any, seen: set[int], depth: int) -> None:
    if id(value) in seen:
        return
    seen.add(id(value))
    if depth > 60:
        raise SandboxError("a type is nested too deeply")
    if isinstance(value, _FUNCTIONS):
        # pydantic takes a function for the type of a call, and evaluates its annotations.
        raise SandboxError("a function cannot stand for a type in workflow code; write the type")
    if isinstance(value, str):
        if not value.isidentifier():
            _refuse(value)
        return
    if isinstance(value, ForwardRef):
        if not value.__forward_arg__.isidentifier():
            _refuse(value.__forward_arg__)
        return
    for part in _parts(value):
        _walk(part, seen, depth + 1)


def _parts(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return list(value)
    origin = typing.get_origin(value)
    if origin is _LITERAL:
        return []
    parts = [origin, *typing.get_args(value)[: 1 if origin is typing.Annotated else None]]
    if isinstance(value, type):
        return []  # a class checked its own annotations when it was made
    for name in ("__bound__", "__constraints__", "__default__", "__supertype__", "__value__"):
        part = getattr(value, name, None)
        if part is not None:
            parts.append(part)
    return parts


def later_names(value: Any) -> set[str]:
    """The classes a type refers to before they exist, also by the fields of classes in it.

    A class that names itself in its own fields does not count.
    """
    return _later(value, set())


def _later(value: Any, seen: set[int]) -> set[str]:
    if id(value) in seen:
        return set()
    seen.add(id(value))
    if isinstance(value, ForwardRef):
        return {value.__forward_arg__}
    if isinstance(value, str):
        return {value}
    if isinstance(value, type) and owns(value):
        fields = get_annotations(value).values()
        return set().union(*(_later(field, seen) for field in fields)) - {value.__name__}
    return set().union(*(_later(part, seen) for part in _parts(value)))

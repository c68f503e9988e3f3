"""`dataclasses.dataclass` that compiles the methods of a class once, not once for every run.

dataclasses writes the methods of a class as text and executes it, which takes most of the time of a
fresh namespace. The text depends on the names and options of the fields alone: whatever belongs to
the class, such as types and defaults, comes in as variables. So the functions of the module are
used with a namespace of their own, in which `exec` keeps what it has compiled. All else is theirs.
"""

from __future__ import annotations

import builtins
import copy
import dataclasses
import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import CodeType, FunctionType, SimpleNamespace
from typing import Any

from workflow.sandbox.facades.copies import deep_copy, shallow_copy
from workflow.sandbox.fixed import Fixed, view
from workflow.sandbox.ownership import owns

__all__ = ["asdict", "astuple", "dataclass", "field", "fields"]

_NOT_PLAIN = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS


@lru_cache(maxsize=2048)
def _compiled(text: str) -> CodeType:
    return compile(text, "<string>", "exec", dont_inherit=True)


def _exec(source: Any, *spaces: Any) -> None:
    builtins.exec(_compiled(source) if type(source) is str else source, *spaces)


def _signature(cls: type, **options: Any) -> Any:
    """What the documentation of a class without one shows: the text of `inspect.signature`."""
    init: Any = cls.__init__  # type: ignore[misc]  # of this very class
    maker: Any = cls.__new__
    usual = type(cls) is type and maker is object.__new__ and type(init) is FunctionType
    if options or not usual or init.__dict__ or "__signature__" in cls.__dict__:
        return inspect.signature(cls, **options)
    code, types = init.__code__, init.__annotations__
    if code.co_flags & _NOT_PLAIN or code.co_posonlyargcount or types.get("return") is not None:
        return inspect.signature(cls)
    count = code.co_argcount
    defaults: dict[str, Any] = dict(init.__kwdefaults__ or {})
    given = init.__defaults__ or ()
    defaults.update(zip(code.co_varnames[count - len(given) : count], given, strict=True))
    parts = []
    for place, name in enumerate(code.co_varnames[: count + code.co_kwonlyargcount]):
        if place == count:
            parts.append("*")
        sign, text = "=", name
        if name in types:
            sign, text = " = ", f"{name}: {inspect.formatannotation(types[name])}"
        parts.append(f"{text}{sign}{defaults[name]!r}" if name in defaults else text)
    return f"({', '.join(parts[1:])})"


def field(*, metadata: Mapping[Any, Any] | None = None, **options: Any) -> Any:
    """As `dataclasses.field`. Without metadata of its own, a field would have the one empty table
    that all of the process share."""
    make: Any = dataclasses.field
    return make(metadata=Fixed(metadata or {}), **options)


def fields(class_or_instance: Any) -> tuple[Any, ...]:
    """As `dataclasses.fields`. The fields of a library are copies, with tables of their own."""
    found = dataclasses.fields(class_or_instance)
    cls = class_or_instance if isinstance(class_or_instance, type) else type(class_or_instance)
    if all(owns(each) for each in cls.__mro__ if "__dataclass_fields__" in each.__dict__):
        return found
    copies = []
    for each in found:
        copied: Any = copy.copy(each)
        copied.metadata = view(each.metadata)
        copies.append(copied)
    return tuple(copies)


def _own_copy() -> dict[str, Any]:
    """The namespace of dataclasses with its functions, which look for names in the copy."""
    origin = vars(dataclasses)
    space = dict(origin)

    def rebound(value: Any) -> Any:
        if type(value) is not FunctionType or value.__globals__ is not origin:
            return value
        made = FunctionType(
            value.__code__, space, value.__name__, value.__defaults__, value.__closure__
        )
        made.__kwdefaults__ = value.__kwdefaults__
        return made

    for name, value in origin.items():
        space[name] = rebound(value)
    space["_hash_action"] = {
        key: rebound(action) for key, action in origin.get("_hash_action", {}).items()
    }
    builder = origin.get("_FuncBuilder")  # since Python 3.13
    if builder is not None:
        members = {key: rebound(value) for key, value in vars(builder).items()}
        del members["__dict__"], members["__weakref__"]
        space["_FuncBuilder"] = type("_FuncBuilder", (), members)
    space["exec"] = _exec
    space["field"] = field  # of the attributes that are no fields yet
    space["copy"] = SimpleNamespace(copy=shallow_copy, deepcopy=deep_copy)
    space["inspect"] = SimpleNamespace(**{**vars(inspect), "signature": _signature})
    return space


_OWN = _own_copy()

dataclass: Callable[..., Any] = _OWN["dataclass"]
"""As `dataclasses.dataclass`."""

asdict: Callable[..., Any] = _OWN["asdict"]
"""As `dataclasses.asdict`, with the copies of workflow code."""

astuple: Callable[..., Any] = _OWN["astuple"]
"""As `dataclasses.astuple`, with the copies of workflow code."""

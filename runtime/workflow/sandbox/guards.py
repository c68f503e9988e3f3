"""The run-time half of the sandbox: what compiled workflow code calls instead of doing it natively.

`read` and `writable` stand behind attribute access (`policy.py` decides which accesses need them),
and behind the builtins `getattr`, `hasattr`, `setattr` and `delattr`. Every refusal is a
`SandboxError` that says what to do instead, where there is something.
"""

from __future__ import annotations

import asyncio
import copy
import datetime as _datetime
import decimal
import functools
import inspect
import re
import sys
import zoneinfo
from collections.abc import Callable
from enum import EnumMeta
from string import Formatter
from types import BuiltinMethodType, FunctionType, MethodDescriptorType
from typing import Any, NoReturn

from workflow.errors import SandboxError
from workflow.sandbox import names, texts
from workflow.sandbox.facades import clock
from workflow.sandbox.facades.copies import deep_copy
from workflow.sandbox.facades.dates import portable
from workflow.sandbox.fixed import view
from workflow.sandbox.formatting import SUPER_CLASS, SUPER_SELF, guarded_format
from workflow.sandbox.ownership import MARK, SHARED, TOKEN, is_shared, owns
from workflow.sandbox.views import ModuleView
from workflow.sets import settled

__all__ = [
    "above",
    "arranged",
    "awaited",
    "delete",
    "has",
    "is_documented_here",
    "place",
    "read",
    "reading",
    "refuse",
    "remembering",
    "validating",
    "writable",
    "write",
]

_MISSING = object()
_REMEMBERED = 256
_TABLES = (dict, list, set)
# Private attributes of `Generic` and `ABC`: refused by name, and made anew for each subclass.
_UNREAD = names.FORBIDDEN | {"_abc_impl"}


def refuse(name: str, hint: str = "") -> NoReturn:
    """Raise the error for an attribute workflow code may not touch."""
    raise SandboxError(
        f"the attribute {name!r} is not available in workflow code" + (f"; {hint}" if hint else "")
    )


def _plain_name(name: object) -> str:
    # An instance of a str subclass could answer one thing to the check and another to getattr.
    if type(name) is not str:
        wanted = "a plain string in workflow code" if isinstance(name, str) else "string"
        raise TypeError(f"attribute name must be {wanted}, not {type(name).__name__!r}")
    return name


def read(value: Any, name: str, default: Any = _MISSING) -> Any:
    """`getattr` for workflow code: the value, the default, or `SandboxError`."""
    name = _plain_name(name)
    if name in names.FORBIDDEN or name[:1] == "$":
        refuse(name)
    if name[:1] == "_":
        if names.is_dunder(name):
            return _read_special(value, name, default)
        if not _is_own_private(value, name):
            return _read_public_private(value, name)
        found = getattr(value, name) if default is _MISSING else getattr(value, name, default)
        return _apart(value, name, found)
    if name in names.GUARDED:
        replacement = _GUARDS[name](value, name)
        if replacement is not None:
            return replacement
    return getattr(value, name) if default is _MISSING else getattr(value, name, default)


def _subject(value: Any) -> Any:
    """The object that `super()` stands for; everything else stands for itself."""
    return SUPER_SELF(value) if isinstance(value, super) else value


def above(cls: Any, value: Any) -> Any:
    """`super(cls, value)` for workflow code: above its own classes only.

    Above a class of a facade stands the real one, which the facade is there to hide.
    """
    if not isinstance(cls, type) or not owns(cls):
        raise SandboxError("super() takes a class of the workflow's own; write `super().name`")
    return super(cls, value)


def _class_of(value: Any) -> type:
    owner = _subject(value)
    return owner if isinstance(owner, type) else type(owner)


def _is_own_private(value: Any, name: str) -> bool:
    """Whether a private attribute is one the workflow's own classes and functions have made."""
    owner = _subject(value)
    if type(owner) is ModuleView:
        return True
    if not owns(owner):
        return False
    lookup = owner.__mro__ if isinstance(owner, type) else type(owner).__mro__
    if isinstance(value, super):
        lookup = lookup[lookup.index(SUPER_CLASS(value)) + 1 :]
    elif isinstance(owner, type):
        lookup += inspect.getmro(type(owner))
    for cls in lookup:
        if name in cls.__dict__:
            return MARK in cls.__dict__ or name in names.PRIVATE_OF_ENUMS
    return True  # in the instance, or nowhere


def _apart(value: Any, name: str, found: Any) -> Any:
    """What a private attribute gives: of a table that runs share, a copy."""
    if type(found) not in _TABLES:
        return found
    lookup = _class_of(value).__mro__
    shared = any(SHARED in cls.__dict__ and cls.__dict__.get(name) is found for cls in lookup)
    return copy.copy(found) if shared else found


def _read_public_private(value: Any, name: str) -> Any:
    if name not in names.PRIVATE_OF_HOSTS or not issubclass(_class_of(value), tuple):
        refuse(name, "it is private to its library")
    found = getattr(value, name)
    # The one that can be written to.
    return dict(found) if name == "_field_defaults" else found


def _read_special(value: Any, name: str, default: Any) -> Any:
    if name not in names.READABLE_DUNDERS:
        if name in names.TEXTS | names.COMBINING and isinstance(value, super):
            return texts.told_above(SUPER_SELF(value), name, getattr(value, name))
        refuse(name)
    if name == "__members__":
        if not isinstance(value, EnumMeta):
            refuse(name)
        return view(value.__members__)
    found = getattr(value, name) if default is _MISSING else getattr(value, name, default)
    if name == "__doc__" and not is_documented_here(value):
        return None
    if found is None or found is default or type(found) is str:
        return found
    if name == "__notes__" and type(found) is list:
        return found
    if name in ("__cause__", "__context__") and isinstance(found, BaseException):
        return found
    refuse(name)


_DESCRIBED = (property, functools.cached_property, BuiltinMethodType, MethodDescriptorType)


def is_documented_here(value: Any) -> bool:
    """Whether the documentation of `value` is of the bundle, or of functions written in C. Started
    with `-OO`, Python leaves out that of libraries."""
    described = getattr(value, "__func__", value)
    return owns(described) or isinstance(described, _DESCRIBED)


# -- attributes whose object decides ---------------------------------------------------------------


def _read_format(value: Any, name: str) -> Callable[..., Any] | None:
    if issubclass(_class_of(value), Formatter):
        refuse(name)
    return guarded_format(value, name, read)


def _read_obj(value: Any, name: str) -> None:
    # The object an AttributeError is about may be anything, also something of the host.
    if isinstance(value, AttributeError):
        refuse(name)


def _read_args(value: Any, name: str) -> Any:
    # The messages of errors that C code raises have the texts of objects in them.
    if not isinstance(_subject(value), BaseException) or isinstance(_subject(value), type):
        return None
    return tuple(texts.told(item) for item in getattr(value, name))


def _read_register(value: Any, name: str) -> None:
    # A virtual subclass makes class patterns read attributes of objects that are not of the class.
    owner = _subject(value)
    if isinstance(owner, type) and not any(name in cls.__dict__ for cls in owner.__mro__):
        refuse(name, "inherit from the abstract class instead")


def _read_context(value: Any, name: str) -> None:
    if issubclass(_class_of(value), asyncio.Future):
        refuse(name)


def _read_clock(value: Any, name: str) -> Callable[..., Any] | None:
    owner, cls = _subject(value), _class_of(value)
    if not issubclass(cls, _datetime.date):
        return None
    if not isinstance(value, super):
        return clock.emulated(owner, name)
    # What is written in Python is an emulation already, or a class of the workflow's own.
    native = isinstance(getattr(value, name), BuiltinMethodType | MethodDescriptorType)
    return clock.emulated_above(owner, name) if native else None


def _read_model(value: Any, name: str) -> Callable[..., Any] | None:
    pydantic = sys.modules.get("pydantic")
    if pydantic is None or not issubclass(_class_of(value), pydantic.BaseModel):
        return None
    if name != "model_validate":
        refuse(name, "use model_validate()")
    native = getattr(value, name)
    if owns(getattr(native, "__func__", None)):
        return None  # the workflow's own, which comes here again for what it overrides

    def model_validate(obj: Any, **options: Any) -> Any:
        return native(obj, **validating(options))

    return model_validate


def validating(options: dict[str, Any]) -> dict[str, Any]:
    """The options of a validation by pydantic, which may not ask for attributes to be read by the
    names that the aliases of fields give."""
    if options.get("from_attributes"):
        raise SandboxError("from_attributes is not available in workflow code")
    return options


def _read_model_table(value: Any, name: str) -> Any:
    pydantic = sys.modules.get("pydantic")
    cls = _class_of(value)
    if pydantic is None or not issubclass(cls, pydantic.BaseModel):
        return None
    if isinstance(value, super):
        refuse(name, "read it from the class")
    # A model of one run has tables of its own; those of others are for the whole process.
    if any(SHARED in each.__dict__ for each in cls.__mro__):
        return view(copy.deepcopy(getattr(cls, name)))
    return None if owns(cls) else view(getattr(cls, name))


def _is_of_pydantic(method: Any) -> bool:
    # A field may have the name, and a method of the workflow, which comes here again for what it
    # overrides.
    function = getattr(method, "__func__", method)
    return type(function) is FunctionType and not owns(function)


def _method_of_pydantic(value: Any, name: str) -> Any:
    """The method of a model, or of its class, if it is that of pydantic itself; else None."""
    pydantic = sys.modules.get("pydantic")
    if pydantic is None or not issubclass(_class_of(value), pydantic.BaseModel):
        return None
    native = getattr(value, name)
    return native if _is_of_pydantic(native) else None


def _read_dump(value: Any, name: str) -> Callable[..., Any] | None:
    native = _method_of_pydantic(value, name)
    if native is None:
        return None
    if isinstance(value, type):
        return lambda model, **options: arranged(native(model, **options))
    return lambda **options: arranged(native(**options))


def _read_model_copy(value: Any, name: str) -> Callable[..., Any] | None:
    native = _method_of_pydantic(value, name)
    if native is None:
        return None
    if isinstance(value, type):
        return lambda model, **options: read(model, name)(**options)

    def model_copy(*, deep: bool = False, **options: Any) -> Any:
        if deep:
            deep_copy(_subject(value))  # which refuses what belongs to the run
        return native(deep=deep, **options)

    return model_copy


def arranged(value: Any) -> Any:
    """What a model gave, with its built-in sets (of fields of any type) in order."""
    if type(value) is dict:
        return {key: arranged(item) for key, item in value.items()}
    if type(value) is list:
        return [arranged(item) for item in value]
    if type(value) is tuple:
        return tuple(map(arranged, value))
    return settled(value)


def _read_fields_set(value: Any, name: str) -> Any:
    pydantic = sys.modules.get("pydantic")
    if pydantic is None or not isinstance(_subject(value), pydantic.BaseModel):
        return None
    return settled(getattr(value, name), type(_subject(value)).model_fields)


def _read_error_json(value: Any, name: str) -> Callable[..., str] | None:
    pydantic = sys.modules.get("pydantic_core")
    if pydantic is None or not isinstance(value, pydantic.ValidationError):
        return None
    inputs = [error["input"] for error in value.errors(include_url=False, include_context=False)]
    if all(type(each) in texts.EXACT for each in inputs):
        return None  # no text is made of them
    return lambda **options: texts.told(value.json(**options))


def _read_strftime(value: Any, name: str) -> Callable[..., str] | None:
    owner, cls = _subject(value), _class_of(value)
    if not issubclass(cls, _datetime.date | _datetime.time):
        return None
    native = getattr(value, name)
    if isinstance(owner, type):
        return lambda moment, format: native(moment, portable(format, moment))
    return lambda format: native(portable(format, owner))


def _read_groupindex(value: Any, name: str) -> Any:
    # `re` keeps patterns, with the tables of their groups, for the whole process.
    return view(value.groupindex) if isinstance(value, re.Pattern) else None


def _read_zone(value: Any, name: str) -> None:
    # A zone hands out these of its class, whose cache is that of the process.
    if issubclass(_class_of(value), zoneinfo.ZoneInfo):
        refuse(name, "write ZoneInfo(name)")


_GUARDS: dict[str, Callable[[Any, str], Callable[..., Any] | None]] = {
    "args": _read_args,
    "copy": _read_model_copy,
    "dict": _read_dump,
    "format": _read_format,
    "format_map": _read_format,
    "get_context": _read_context,
    "groupindex": _read_groupindex,
    "obj": _read_obj,
    "register": _read_register,
    **dict.fromkeys(("clear_cache", "from_file", "no_cache"), _read_zone),
    "strftime": _read_strftime,
    "json": _read_error_json,
    "model_computed_fields": _read_model_table,
    "model_config": _read_model_table,
    "model_copy": _read_model_copy,
    "model_dump": _read_dump,
    "model_fields": _read_model_table,
    "model_fields_set": _read_fields_set,
    "model_validate": _read_model,
    "parse_file": _read_model,
    "parse_raw": _read_model,
    **dict.fromkeys(clock.EMULATED_METHODS, _read_clock),
}
assert set(_GUARDS) == names.GUARDED


# -- writes --------------------------------------------------------------------------------------


def writable(value: Any) -> Any:
    """Return `value` when workflow code may set and delete its attributes, else raise."""
    if getattr(type(value), MARK, None) is TOKEN or owns(value):
        if is_shared(value):
            _refuse_write(value)
        return value
    if type(value) is decimal.Context:
        return value  # a copy for whoever asked: `with localcontext() as context: context.prec = 3`
    kind = value.__name__ if isinstance(value, type) else type(value).__name__
    raise SandboxError(
        f"attributes of {kind!r} cannot be set or deleted in workflow code: "
        "what a run shares with other runs stays as it is"
    )


def _refuse_write(value: Any) -> NoReturn:
    name = value.__qualname__ if isinstance(value, type | FunctionType) else repr(value)
    raise SandboxError(
        f"attributes of {name} cannot be set or deleted here: it is made once for all runs. Keep "
        "what changes in a variable of the module or in an object of the workflow"
    )


def remembering(owned: set[type], *, lasting: bool = False) -> Callable[[Any], Any]:
    """`writable` for the stores of one module, which do not call it for instances of `owned`: the
    classes of workflow code it has met. They are as many as the module has, unless it goes on
    making classes. A `lasting` one remembers those that all runs share."""

    def write(value: Any) -> Any:
        writable(value)
        cls = type(value)
        if getattr(cls, MARK, None) is TOKEN:
            _remember(cls, owned, lasting)
        return value

    return write


def reading(plain: set[type], *, lasting: bool = False) -> Callable[[Any, str], Any]:
    """`read` for one module, which does not call it for private attributes of instances of `plain`:
    classes it has met that have none from a library."""

    def read_attribute(value: Any, name: str) -> Any:
        found = read(value, name)
        cls = type(value)
        if getattr(cls, MARK, None) is TOKEN and all(map(_is_plain, cls.__mro__)):
            _remember(cls, plain, lasting)
        return found

    return read_attribute


def _is_plain(cls: type) -> bool:
    # What a class of the workflow has, also later, is its own; the others do not change.
    if SHARED in cls.__dict__ and any(type(each) in _TABLES for each in cls.__dict__.values()):
        return False
    return MARK in cls.__dict__ or not any(
        name[:1] == "_" and not names.is_dunder(name) and name not in _UNREAD
        for name in cls.__dict__
    )


def _remember(cls: type, known: set[type], lasting: bool) -> None:
    if lasting and not is_shared(cls):
        return
    if len(known) >= _REMEMBERED:
        known.clear()
    known.add(cls)


def _settable(name: object) -> str:
    name = _plain_name(name)
    if names.is_dunder(name) or name in names.FORBIDDEN or name[:1] == "$":
        refuse(name)
    return name


def write(value: Any, name: str, new: Any) -> None:
    """`setattr` for workflow code."""
    setattr(writable(value), _settable(name), new)


def place(value: Any, name: str, new: Any) -> None:
    """`object.__setattr__(value, name, new)` for workflow code: past the `__setattr__` of frozen
    dataclasses, onto objects of its own classes."""
    if isinstance(value, type) or not owns(value) or is_shared(value):
        raise SandboxError("object.__setattr__() is for objects of the workflow's own classes")
    object.__setattr__(value, _settable(name), new)


def awaited(value: Any) -> Any:
    """`value.__await__()` for workflow code: what `await value` would go through."""
    special = getattr(type(value), "__await__", None)
    if isinstance(value, type) or special is None:
        raise TypeError(f"object {type(value).__name__} can't be used in 'await' expression")
    return special(value)


def delete(value: Any, name: str) -> None:
    """`delattr` for workflow code."""
    delattr(writable(value), _settable(name))


def has(value: Any, name: str) -> bool:
    """`hasattr` for workflow code: what cannot be read is not there."""
    try:
        read(value, name)
    except (AttributeError, SandboxError):
        return False
    return True

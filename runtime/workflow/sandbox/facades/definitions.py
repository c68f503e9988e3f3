"""Members of pure modules that make or change classes and functions, held to the guards.

`dataclass(Queue)`, `wraps(f)(Queue)` or `abstractmethod(Queue)` would write to a class that all
runs share; the functional forms of Enum, namedtuple, NamedTuple and TypedDict take names and types
as data, past the policy.
"""

from __future__ import annotations

import abc
import collections
import difflib
import enum
import functools
import sys
import textwrap
import threading
import typing
from collections.abc import Callable, Iterable
from inspect import get_annotations
from types import FunctionType
from typing import Any

from workflow.errors import SandboxError
from workflow.sandbox import guards, names
from workflow.sandbox.annotations import refuse_text
from workflow.sandbox.classes import TypeProxy, forget_plain_repr, keep_plain_repr
from workflow.sandbox.endless import Count, Cycle, Repeat
from workflow.sandbox.facades import printing, records, writing
from workflow.sandbox.facades.copies import deep_copy, shallow_copy
from workflow.sandbox.facades.dispatch import Dispatcher, MethodDispatcher
from workflow.sandbox.facades.facade import named_like
from workflow.sandbox.facades.managers import MANAGERS, localcontext
from workflow.sandbox.facades.plain_types import SimpleNamespace
from workflow.sandbox.facades.protocols import refuse_protocol, runtime_checkable
from workflow.sandbox.facades.zones import ZoneInfo
from workflow.sandbox.fixed import fixed
from workflow.sandbox.operations import IN_PLACE, OPERATIONS, remainder, remainder_in_place
from workflow.sandbox.ownership import MARK, TOKEN, claim
from workflow.sets import FrozenSet, Set, settled

__all__ = ["REPLACED", "backported"]


def _caller(depth: int = 2) -> str:
    name = sys._getframe(depth).f_globals.get("__name__", "")
    return str(name)


def _field_name(name: object) -> str:
    if type(name) is not str or name.startswith("_") or name in names.FORBIDDEN:
        guards.refuse(str(name))
    return name


def _field_names(given: Any) -> list[str]:
    if isinstance(given, str):
        given = given.replace(",", " ").split()
    return [_field_name(name) for name in given]


# -- functools, abc, typing: decorators that write ------------------------------------------------


def wraps(wrapped: Any, **options: Any) -> Callable[[Any], Any]:
    """`functools.wraps` with the standard attributes, onto a function of the workflow."""
    if options:
        raise SandboxError("functools.wraps() takes only the function in workflow code")

    def decorate(wrapper: Any) -> Any:
        if type(guards.writable(wrapper)) is not FunctionType:
            raise SandboxError("functools.wraps() decorates functions in workflow code")
        made = functools.update_wrapper(wrapper, wrapped, updated=())
        if not guards.is_documented_here(wrapped):
            made.__doc__ = None
        return made

    return decorate


def update_wrapper(wrapper: Any, wrapped: Any, **options: Any) -> Any:
    """`functools.update_wrapper` with the standard attributes, onto a function of the workflow."""
    return wraps(wrapped, **options)(wrapper)


def total_ordering(cls: Any) -> Any:
    """`functools.total_ordering` for classes of the workflow."""
    return functools.total_ordering(guards.writable(cls))


class cached_property(functools.cached_property[Any]):  # noqa: N801 - as it is called
    """`functools.cached_property` without the lock it has before Python 3.12: a run could take it,
    and keep it from all others that have the same class."""

    def __init__(self, func: Callable[[Any], Any]) -> None:
        self.func = func
        self.attrname = None
        self.__doc__ = func.__doc__

    @property
    def lock(self) -> Any:
        """A lock that nobody else has."""
        return threading.RLock()

    def __get__(self, instance: object, owner: type[Any] | None = None) -> Any:
        if instance is None:
            return self
        if self.attrname is None:
            raise TypeError(
                "Cannot use cached_property instance without calling __set_name__ on it."
            )
        try:
            kept = instance.__dict__
        except AttributeError:
            raise TypeError(
                f"No '__dict__' attribute on {type(instance).__name__!r} instance to cache "
                f"{self.attrname!r} property."
            ) from None
        if self.attrname not in kept:
            kept[self.attrname] = self.func(instance)
        return kept[self.attrname]


named_like(cached_property, "functools", "cached_property")


def abstractmethod(funcobj: Any) -> Any:
    """`abc.abstractmethod` for functions of the workflow."""
    inner = funcobj
    while isinstance(inner, classmethod | staticmethod):
        inner = inner.__func__
    if isinstance(inner, property):
        return funcobj
    guards.writable(inner)
    return abc.abstractmethod(funcobj)


def get_origin(tp: Any) -> Any:
    """`typing.get_origin`. That of `Type[int]` is what `type` is in workflow code."""
    found = typing.get_origin(tp)
    return TypeProxy if found is type else found


def unchanged(thing: Any) -> Any:
    """`typing.final`, `overload`, `override`: for type checkers only."""
    return thing


# -- dataclasses ----------------------------------------------------------------------------------


def dataclass(cls: Any = None, /, **options: Any) -> Any:
    """`dataclasses.dataclass` for classes of the workflow."""

    def decorate(target: Any) -> Any:
        guards.writable(target)
        refuse_protocol(target)
        for name in get_annotations(target):
            if names.is_dunder(name) or name in names.FORBIDDEN:
                guards.refuse(name)
        forget_plain_repr(target)
        made = records.dataclass(target, **options)
        keep_plain_repr(made)
        claim(made)
        return made

    return decorate if cls is None else decorate(cls)


# -- named tuples, typed dicts --------------------------------------------------------------------


def namedtuple(
    typename: str, field_names: Any, *, rename: bool = False, defaults: Iterable[Any] | None = None
) -> Any:
    """`collections.namedtuple` with field names that may be attributes."""
    make: Any = collections.namedtuple  # the type checker wants literals
    made = make(
        typename, _field_names(field_names), rename=rename, defaults=defaults, module=_caller()
    )
    claim(made)
    return made


class _Form:
    """A typing form that is a base class in a class statement and a function otherwise."""

    def __init__(self, form: Any) -> None:
        self._form = form

    def __mro_entries__(self, bases: Any) -> Any:
        return self._form.__mro_entries__((self._form,))

    def __repr__(self) -> str:
        return repr(self._form)


class _NamedTuple(_Form):
    def __call__(self, typename: str, fields: Any = ()) -> Any:
        listed = [(_field_name(name), refuse_text(kind)) for name, kind in fields]
        made = self._form(typename, listed)
        made.__module__ = _caller()
        claim(made)
        return made


class _TypedDict(_Form):
    def __call__(self, typename: str, fields: Any = (), *, total: bool = True) -> Any:
        checked = {name: refuse_text(kind) for name, kind in dict(fields).items()}
        made = self._form(typename, checked, total=total)
        made.__module__ = _caller()
        claim(made)
        return made


def new_type(name: str, tp: Any) -> Any:
    """`typing.NewType` of a type, not of text."""
    make: Any = typing.NewType  # the type checker wants literals
    made = make(name, refuse_text(tp))
    made.__module__ = _caller()
    return made


# -- enum -----------------------------------------------------------------------------------------


class _EnumMeta(enum.EnumMeta):
    """`Enum("E", {...})` sets attributes by name: hold the names to the policy."""

    @classmethod
    def __prepare__(  # type: ignore[override]  # the two bases do not agree in typeshed
        cls, name: str, bases: tuple[type, ...], /, **options: Any
    ) -> Any:
        space = super().__prepare__(name, bases, **options)
        # The members are made, and their `__init__` called, before the class can be claimed. Past
        # the namespace's own method, which would take the mark for a member.
        dict.__setitem__(space, MARK, TOKEN)
        return space

    def __call__(cls, value: Any, names: Any = None, *args: Any, **options: Any) -> Any:
        if names is None:
            return super().__call__(value, *args, **options)
        if isinstance(names, str):
            listed: Any = _field_names(names)
        elif isinstance(names, dict):
            listed = [(_field_name(name), member) for name, member in names.items()]
        else:
            listed = [
                _field_name(item) if isinstance(item, str) else (_field_name(item[0]), item[1])
                for item in names
            ]
        options["module"] = _caller()
        made = super().__call__(value, listed, *args, **options)
        claim(made)
        return made


def _enum_base(name: str) -> Any:
    base = getattr(enum, name)
    return _EnumMeta(name, (base,), enum.EnumMeta.__prepare__(name, (base,)))


# -- operator -----------------------------------------------------------------------------------


def attrgetter(attr: str, *attrs: str) -> Callable[[Any], Any]:
    """`operator.attrgetter` that reads through the guards."""

    def follow(value: Any, path: str) -> Any:
        for name in path.split("."):
            value = guards.read(value, name)
        return value

    def get(value: Any) -> Any:
        if not attrs:
            return follow(value, attr)
        return tuple(follow(value, path) for path in (attr, *attrs))

    return get


def methodcaller(name: str, /, *args: Any, **kwargs: Any) -> Callable[[Any], Any]:
    """`operator.methodcaller` that reads through the guards."""

    def call(value: Any) -> Any:
        return guards.read(value, name)(*args, **kwargs)

    return call


class TextWrapper(textwrap.TextWrapper):
    """`textwrap.TextWrapper` with a translation table nobody can write to."""

    unicode_whitespace_trans: Any = fixed(textwrap.TextWrapper.unicode_whitespace_trans)


class SequenceMatcher(difflib.SequenceMatcher[Any]):
    """`difflib.SequenceMatcher` whose sets are in the order of its second sequence."""

    def set_seq2(self, b: Any) -> None:
        super().set_seq2(b)
        self.bjunk: Any = settled(self.bjunk, b)
        self.bpopular: Any = settled(self.bpopular, b)


def backported() -> dict[str, Any]:
    """What `typing_extensions` has for this Python where pydantic refuses that of `typing`."""
    if sys.version_info >= (3, 12):
        return {}
    import typing_extensions  # comes with pydantic

    return {"TypedDict": _TypedDict(typing_extensions.TypedDict)}


_ENUMS = ("Enum", "Flag", "IntEnum", "IntFlag", "StrEnum")

REPLACED: dict[str, dict[str, Any]] = {
    "abc": {"abstractmethod": abstractmethod},
    "collections": {"namedtuple": namedtuple},
    "contextlib": MANAGERS,
    "copy": {"copy": shallow_copy, "deepcopy": deep_copy},
    "csv": {"DictWriter": writing.DictWriter, "writer": writing.Writer},
    "dataclasses": {
        "asdict": records.asdict,
        "astuple": records.astuple,
        "dataclass": dataclass,
        "field": records.field,
        "fields": records.fields,
    },
    "decimal": {"localcontext": localcontext},
    "enum": {name: _enum_base(name) for name in _ENUMS},
    "functools": {
        **({"cached_property": cached_property} if sys.version_info < (3, 12) else {}),
        "singledispatch": Dispatcher,
        "singledispatchmethod": MethodDispatcher,
        "total_ordering": total_ordering,
        "update_wrapper": update_wrapper,
        "wraps": wraps,
    },
    "difflib": {"SequenceMatcher": SequenceMatcher},
    "json": {"dumps": writing.dumps},
    "itertools": {"count": Count, "cycle": Cycle, "repeat": Repeat},
    "operator": {
        "attrgetter": attrgetter,
        "methodcaller": methodcaller,
        "mod": remainder,
        "imod": remainder_in_place,
        **{operate.__name__: operate for operate in (*OPERATIONS.values(), *IN_PLACE.values())},
    },
    "pprint": {"pformat": printing.pformat},
    "string": {"Template": writing.Template},
    "textwrap": {"TextWrapper": TextWrapper},
    "types": {"SimpleNamespace": SimpleNamespace},
    "typing": {
        "FrozenSet": FrozenSet,
        "NamedTuple": _NamedTuple(typing.NamedTuple),
        "NewType": new_type,
        "Set": Set,
        "TypedDict": _TypedDict(typing.TypedDict),
        "final": unchanged,
        "get_origin": get_origin,
        "overload": unchanged,
        "override": unchanged,
        "runtime_checkable": runtime_checkable,
    },
    "urllib.parse": {"urlencode": writing.urlencode},
    "zoneinfo": {"ZoneInfo": ZoneInfo},
}
"""Members that facades give out instead of the module's own: module name to name to object."""

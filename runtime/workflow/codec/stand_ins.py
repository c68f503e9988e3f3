"""Stand-ins: what a workflow body sees of an instance whose class its bundle does not have.

A class that only steps name is no part of workflow code, and its code must not run in a body: it
would be neither contained nor replayed. Its values may come to the body all the same, in a result,
an error, a payload. They come as instances of a class made here, with the recorded data and nothing
else of the original: no methods, no properties, no class attributes. What is written of a stand-in
is what was read, so that on the other side it is the user's class again.

The classes made here cannot be changed, called or inherited from in workflow code. What they have
to remember is under names with two underscores, which workflow code can neither read nor set.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NoReturn
from uuid import UUID

from workflow.errors import SandboxError

__all__ = [
    "SLOTTED",
    "WRITING",
    "About",
    "Sealed",
    "data_class",
    "hash_of_class",
    "hidden",
    "hide",
    "is_plain",
    "not_there",
    "opaque",
    "plain_default",
    "plain_repr",
    "sealed",
    "space_of",
    "told",
    "without_args",
]

_PLAIN = frozenset(
    {
        type(None), bool, int, float, complex, str, bytes,
        date, datetime, time, timedelta, Decimal, Fraction, UUID,
    }
)  # fmt: skip
_FACTORIES: tuple[Any, ...] = (list, dict, set)


@dataclass(frozen=True)
class About:
    """What is known of the original. `fields` are those it has, None for what has none.

    `closed` says why no field can be set, `open` whether others than the fields can be, and `shown`
    are the fields its text shows, None when the original makes that text with code of its own.
    `form` is how its instances are recorded: by `fields`, as a pydantic `model`, as an `error`, or
    as data that only the original understands (`opaque`).
    """

    form: str
    name: str
    fields: tuple[str, ...] = ()
    shown: tuple[str, ...] | None = None
    closed: str = ""
    frozen: frozenset[str] = frozenset()
    open: bool = False
    defaults: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    on_set: Callable[[Any, str], None] | None = None


class Sealed(type):
    """The class of stand-ins: they say what they are called, and that is all they are for."""

    __about__: About

    def __call__(cls, *_: Any, **__: Any) -> NoReturn:
        raise TypeError(f"{cls.__qualname__} cannot be called here: {_ADVICE.format(cls.__name__)}")

    def __getattr__(cls, name: str) -> NoReturn:
        raise AttributeError(_missing(cls, name))

    def __setattr__(cls, name: str, value: object) -> None:
        if "__about__" in cls.__dict__:
            raise SandboxError(
                f"attributes of the class {cls.__qualname__} cannot be set or deleted in workflow "
                "code: what a run shares with other runs stays as it is"
            )
        super().__setattr__(name, value)

    def __delattr__(cls, name: str) -> None:
        if "__about__" in cls.__dict__:
            setattr(cls, name, None)
        super().__delattr__(name)


_ADVICE = (
    "only steps name this class. Name it in the signature of the step (-> {0}) or in the "
    "workflow's own code, and build again; what no workflow can do, do in a step"
)


def _missing(cls: type, name: str) -> str:
    # The same whatever the original has: the text must not depend on code that may change.
    return (
        f"{cls.__qualname__}.{name} is not part of the workflow's code: "
        f"{_ADVICE.format(cls.__name__)}"
    )


def not_there(self: object, name: str) -> NoReturn:
    """`__getattr__` of stand-ins: says what to write instead. Raises AttributeError."""
    raise AttributeError(_missing(type(self), name))


def is_plain(value: Any) -> bool:
    """Whether a value of the host's can be shown to workflow code as it is: it cannot change."""
    if type(value) is tuple:
        return all(map(is_plain, value))
    return type(value) in _PLAIN


def plain_default(default: Any, factory: Any) -> Callable[[], Any] | None:
    """A function that makes a field's default without code of the original's; None if it cannot."""
    if is_plain(default):
        return lambda: default
    return factory if any(factory is each for each in _FACTORIES) else None


def space_of(kind: type, members: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """The namespace of a stand-in for `kind`; `members` are put into it, such as steps."""
    return {
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "__doc__": f"{kind.__name__}, as seen by workflow code that does not have the class.",
        "__getattr__": not_there,
        "__init_subclass__": classmethod(_no_subclass),
        **more,
        **members,
    }


def _no_subclass(cls: type[Any], /, **_: Any) -> NoReturn:
    above = cls.__mro__[1].__qualname__
    raise SandboxError(f"{above} cannot be a base class here: {_ADVICE.format(above)}")


def sealed(name: str, bases: tuple[type, ...], space: dict[str, Any], about: About) -> Sealed:
    made = Sealed(name, bases, space)
    type.__setattr__(made, "__about__", about)
    return made


def hash_of_class(self: object) -> int:
    # Equal values have it, and it is never shown. By what the original hashes is in its code.
    return hash(type(self).__qualname__)


def plain_repr(self: object) -> str:
    return f"<{type(self).__module__}.{type(self).__qualname__} object>"


def _assign(self: Any, name: str, value: Any) -> None:
    about = type(self).__about__
    if about.closed:
        raise FrozenInstanceError(f"{about.name}.{name} cannot be set here: {about.closed}")
    if name in about.frozen:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")
    if name not in about.fields and not about.open:
        raise AttributeError(f"{about.name} has no field {name!r}: only its fields are recorded")
    object.__setattr__(self, name, value)
    if about.on_set is not None:
        about.on_set(self, name)


def _remove(self: Any, name: str) -> None:
    about = type(self).__about__
    if about.closed or name in about.frozen:
        raise FrozenInstanceError(f"cannot delete field {name!r}")
    object.__delattr__(self, name)


# -- copies ----------------------------------------------------------------------------------------


def _copied(self: Any) -> Any:
    return _copy(self, lambda value: value)


def _deep_copied(self: Any, memo: dict[int, Any]) -> Any:
    return _copy(self, lambda value: copy.deepcopy(value, memo), memo)


def _copy(self: Any, part: Callable[[Any], Any], memo: dict[int, Any] | None = None) -> Any:
    cls = type(self)
    if isinstance(self, BaseException):
        base: Any = next(each for each in cls.__mro__ if each.__module__ == "builtins")
        args = part(self.args)
        made = base.__new__(cls, *args)
        base.__init__(made, *args)
    else:
        made = object.__new__(cls)
    if memo is not None:
        memo[id(self)] = made
    kept = hidden(self)
    if kept is not MISSING:
        hide(made, {name: part(each) for name, each in kept.items()})
    for name, value in getattr(self, "__dict__", {}).items():
        made.__dict__[name] = part(value)
    return made


# -- what is kept out of reach ---------------------------------------------------------------------


def hidden(value: Any) -> Any:
    """What was recorded of a stand-in beside its attributes; MISSING when there is nothing."""
    slot = _slot_of(type(value))
    try:
        return MISSING if slot is None else slot.__get__(value)
    except AttributeError:
        return MISSING


def hide(value: Any, kept: Any) -> None:
    """Keep something with a stand-in."""
    _slot_of(type(value)).__set__(value, kept)


def _slot_of(cls: type) -> Any:
    return next(
        (each.__dict__["__recorded__"] for each in cls.__mro__ if "__recorded__" in each.__dict__),
        None,
    )


_COPYING = {"__copy__": _copied, "__deepcopy__": _deep_copied}
WRITING = {"__setattr__": _assign, "__delattr__": _remove}
SLOTTED = {"__slots__": ("__recorded__", "__dict__", "__weakref__"), **_COPYING}


# -- the forms -------------------------------------------------------------------------------------


def data_class(kind: Any, members: Mapping[str, Any]) -> type:
    """The stand-in of a dataclass: one with the same fields, equal, ordered and shown alike."""
    params = kind.__dataclass_params__
    space = space_of(kind, members, **_COPYING)
    space["__annotations__"] = {}
    if not params.frozen:
        space |= WRITING
    defaults: dict[str, Callable[[], Any]] = {}
    for each in fields(kind):
        space["__annotations__"][each.name] = Any
        space[each.name] = field(
            repr=each.repr, hash=each.hash, compare=each.compare, kw_only=bool(each.kw_only)
        )
        default = plain_default(each.default, each.default_factory)
        if default is not None:
            defaults[each.name] = default
    match = kind.__dict__.get("__match_args__")
    known = space["__annotations__"]
    space["__match_args__"] = tuple(n for n in match if n in known) if match else ()
    if params.eq and kind.__hash__ is not None and not _is_generated(kind.__hash__):
        space["__hash__"] = hash_of_class
    shows = params.repr and _is_generated(kind.__repr__)
    if not shows:
        space["__repr__"] = plain_repr
    made = Sealed(kind.__name__, (), space)
    decorate: Any = dataclass(
        init=False,
        repr=shows,
        eq=params.eq,
        order=params.order,
        unsafe_hash=params.unsafe_hash and "__hash__" not in space,
        frozen=params.frozen,
    )
    decorate(made)
    names = tuple(each.name for each in fields(kind))
    about = About("fields", kind.__qualname__, names, defaults=defaults)
    type.__setattr__(made, "__about__", about)
    return made


def _is_generated(method: Any) -> bool:
    """Whether `dataclass` has written a method: the user's own is not run, nor replaced."""
    code = getattr(inspect.unwrap(method), "__code__", None)
    return code is not None and code.co_filename == "<string>"


def _recorded(self: object) -> Any:
    return hidden(self)["data"]


def _revived(cls: Any, data: Any) -> Any:
    made = cls.__new__(cls)
    hide(made, {"data": data})
    return made


_OPAQUE = {
    "__workflow_serialize__": _recorded,
    "__workflow_deserialize__": classmethod(_revived),
}


def opaque(kind: type, members: Mapping[str, Any]) -> type:
    """The stand-in of a class that says itself how it is recorded, or that has no instances here.

    Nothing can be read of it: what was recorded means something to the original alone.
    """
    about = About(
        "opaque", kind.__qualname__, closed="what it is made of is known to its class alone"
    )
    space = space_of(kind, members, **SLOTTED, **WRITING, **_OPAQUE, __repr__=plain_repr)
    return sealed(kind.__name__, (), space, about)


def told(kind: Any, bases: tuple[type, ...], members: Mapping[str, Any]) -> type:
    """The stand-in of an exception, which is one itself: caught by the classes in `bases`."""
    form = "opaque" if hasattr(kind, "__workflow_deserialize__") else "error"
    about = About(form, kind.__qualname__, open=True)
    space = space_of(kind, members, __slots__=("__recorded__",), __str__=_error_text, **_COPYING)
    if form == "opaque":
        space |= _OPAQUE
    try:
        return sealed(kind.__name__, bases, space, about)
    except TypeError:  # bases that cannot go together, without what the original is made of
        return sealed(kind.__name__, bases[:1], space, about)


def _error_text(self: BaseException) -> str:
    kept = hidden(self)
    if isinstance(kept, dict) and "message" in kept:
        return str(kept["message"])
    return f"{type(self).__qualname__}, of which no text was recorded"


def without_args(error: BaseException) -> bool:
    """Whether the arguments of the exception could not be recorded, and still are none."""
    kept = hidden(error) if type(type(error)) is Sealed else None
    return isinstance(kept, dict) and kept.get("args") is False and error.args == (kept["message"],)

"""How workflow code makes and inspects classes: `class` statements, `type()`, default reprs."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable
from inspect import get_annotations
from string import Formatter
from types import GenericAlias, ModuleType
from typing import Any, Generic, TypeVar, get_args

from workflow.errors import SandboxError
from workflow.sandbox import names, texts
from workflow.sandbox.annotations import later_names
from workflow.sandbox.facades import aio, chance, clock, zones
from workflow.sandbox.facades.facade import Facade
from workflow.sandbox.ownership import claim, owns
from workflow.sets import TWINS as SETS

__all__ = ["TypeProxy", "build_class", "forget_plain_repr", "keep_plain_repr"]

# Metaclasses change what attribute access and isinstance mean; a lying `split()` of an exception
# group crashes CPython; formatters read attributes by text; facades are frozen.
_FORBIDDEN_BASES = (type, super, BaseExceptionGroup, Formatter, ModuleType, Facade)


_TWINS: dict[type, Any] = {
    **aio.TWINS,
    **chance.TWINS,
    **clock.TWINS,
    **zones.TWINS,
    **SETS,
}


class _TypeOfType(type):
    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if len(args) != 1 or kwargs:
            raise SandboxError(
                "type() takes one argument in workflow code; write a class statement"
            )
        found = type(args[0])
        if issubclass(found, type) or args[0] is cls:
            return cls  # a metaclass would make classes behind the policy's back
        if issubclass(found, super):
            raise SandboxError("type() of a super() is not available in workflow code")
        if found.__module__ == "workflow.authoring.hooks":
            raise SandboxError("type() of a hook is not available in workflow code")
        return _TWINS.get(found, found)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, type)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return subclass is cls


class TypeProxy(metaclass=_TypeOfType):
    """What `type` is in workflow code: it tells the class of a value and makes none."""

    __class_getitem__: Any = classmethod(GenericAlias)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Callable[[Any], Any]) -> Any:
        """In a model it means the real class."""
        parts = get_args(source)
        return handler(GenericAlias(type, parts) if parts else type)


# What `repr` and error messages show.
TypeProxy.__name__ = TypeProxy.__qualname__ = "type"
TypeProxy.__module__ = "builtins"


def _plain_repr(self: object) -> str:
    return f"<{type(self).__module__}.{type(self).__qualname__} object>"


def keep_plain_repr(cls: Any) -> None:
    """Give a class without a `__repr__` one that is the same in every process."""
    if cls.__repr__ is object.__repr__ and not getattr(cls, "_is_protocol", False):
        cls.__repr__ = _plain_repr


def forget_plain_repr(cls: type) -> None:
    """Let a class decorator that writes a `__repr__` do so."""
    if cls.__dict__.get("__repr__") is _plain_repr:
        del cls.__repr__


def build_class(function: Callable[[], Any], name: str, *bases: Any, **keywords: Any) -> Any:
    """`__build_class__` for workflow code: check the bases, build, mark the class as owned."""
    for base in bases:
        if base is TypeProxy or (isinstance(base, type) and not _extensible(base)):
            raise SandboxError(f"class {name}: {base!r} cannot be a base class in workflow code")
    if "metaclass" in keywords:
        raise SandboxError(f"class {name}: metaclass= is not available in workflow code")
    cls = builtins.__build_class__(function, name, *bases, **keywords)
    if not isinstance(cls, type):
        raise SandboxError(f"class {name}: its bases do not make a class")
    _check_slots(cls)
    _check_model(cls)
    keep_plain_repr(cls)
    _show_no_address(cls)
    claim(cls)
    return cls


def _show_no_address(cls: Any) -> None:
    """Let `str.__new__` of a class make the text that workflow code gets from `str`."""
    if cls.__new__ is str.__new__:
        cls.__new__ = _new_text


def _new_text(cls: Any, *args: Any, **options: Any) -> Any:
    """`str.__new__` of a class of workflow code: the text of an object without its address."""
    if len(args) + len(options) != 1:
        return str.__new__(cls, *args, **options)  # of nothing, or of bytes and their encoding
    return str.__new__(cls, texts.call_text(str, *args, **options))


def _extensible(base: type) -> bool:
    if issubclass(base, _FORBIDDEN_BASES):
        return False
    # A subclass reads the private attributes of its base; those of the runtime lead to the run.
    # The twins and enum bases of the facades are made for it.
    ours = base.__module__.startswith("workflow.") and not owns(base)
    public = base.__module__.startswith("workflow.sandbox.facades.")
    return public or not ours or issubclass(base, BaseException)


def _check_slots(cls: type) -> None:
    slots = cls.__dict__.get("__slots__", ())
    if type(slots) not in (str, tuple, list, dict):
        # Python has read it already, and it might say something else to whoever reads it again.
        raise SandboxError(f"class {cls.__name__}: write __slots__ as a tuple of names")
    for slot in [slots] if isinstance(slots, str) else slots:
        if names.is_dunder(slot) or slot in names.FORBIDDEN:
            raise SandboxError(f"class {cls.__name__}: a slot cannot be named {slot!r}")


def _check_model(cls: Any) -> None:
    pydantic: Any = sys.modules.get("pydantic")
    if pydantic is None or not issubclass(cls, pydantic.BaseModel):
        return
    later = set().union(*map(later_names, get_annotations(cls).values())) - {cls.__name__}
    if later:
        # pydantic would look for it in the module the host has imported under this name.
        raise SandboxError(f"model {cls.__name__}: define {', '.join(sorted(later))} above it")
    if not cls.__pydantic_complete__:
        raise SandboxError(f"model {cls.__name__} is not complete when its class statement ends")
    if issubclass(cls, Generic) and not _is_root_of_a_type(cls, pydantic):
        raise SandboxError(
            f"model {cls.__name__}: generic models are not available in workflow code. Make it in "
            "a step, or write a model for each type that it is used with"
        )
    if cls.model_config.get("from_attributes"):
        raise SandboxError(
            f"model {cls.__name__}: from_attributes is not available in workflow code"
        )


def _is_root_of_a_type(cls: Any, pydantic: Any) -> bool:
    """Whether it is a `RootModel` whose type is known: there is nothing left to subscript."""
    if not issubclass(cls, pydantic.RootModel) or cls.__pydantic_generic_metadata__["parameters"]:
        return False
    return not isinstance(cls.model_fields["root"].annotation, TypeVar)

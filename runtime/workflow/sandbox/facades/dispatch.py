"""`functools.singledispatch` and `singledispatchmethod` for workflow code.

The originals evaluate the annotation of a registered function, which is text, in the namespace of
the function, and look through the subclasses of abstract classes, which are those of the process.
Here an annotation is a name that is looked up, or several of them joined by `|`, and what is
registered is all there is.
"""

from __future__ import annotations

import ast
import typing
from collections.abc import Callable, Mapping
from types import FunctionType, MappingProxyType, MethodType, UnionType
from typing import Any

from workflow.errors import SandboxError
from workflow.sandbox import guards
from workflow.sandbox.classes import TypeProxy
from workflow.sandbox.facades import aio, chance, clock, zones
from workflow.sandbox.ownership import owns
from workflow.sets import TWINS as SETS

__all__ = ["Dispatcher", "MethodDispatcher"]

# What values are instances of, by the class that workflow code knows it under.
_TWINS: dict[type, Any] = {
    **aio.TWINS,
    **chance.TWINS,
    **clock.TWINS,
    **zones.TWINS,
    **SETS,
    type: TypeProxy,
}
_REAL: dict[Any, type] = {twin: real for real, twin in _TWINS.items()}
_REMEMBERED = 256
_WRITE_CLASS = "write `@f.register(SomeClass)`"


class Dispatcher:
    """What `@singledispatch` makes of a function of the workflow."""

    __native__: dict[type, Callable[..., Any]]
    __found__: dict[type, Callable[..., Any]]
    __name__: str
    __qualname__: str

    def __init__(self, func: Any) -> None:
        if type(guards.writable(func)) is not FunctionType:
            raise SandboxError("singledispatch() decorates functions in workflow code")
        self.__dict__["__native__"] = {object: func}
        self.__dict__["__found__"] = {}
        for name in ("__doc__", "__name__", "__qualname__"):
            self.__dict__[name] = getattr(func, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not args:
            raise TypeError(f"{self.__name__} requires at least 1 positional argument")
        return self._for(args[0])(*args, **kwargs)

    def dispatch(self, cls: Any) -> Callable[..., Any]:
        """The function for instances of `cls`."""
        return _chosen(self.__native__, _real(cls))

    @property
    def registry(self) -> Mapping[type, Callable[..., Any]]:
        """The registered functions by class."""
        return MappingProxyType({_TWINS.get(cls, cls): f for cls, f in self.__native__.items()})

    def register(self, cls: Any, func: Any = None) -> Any:
        """Register a function: `@f.register`, `@f.register(Class)` or `f.register(Class, func)`."""
        if func is None and not _is_class(cls):
            if type(cls) is not FunctionType:
                raise TypeError(f"register() takes a class or an annotated function, not {cls!r}")
            kinds, func = _annotated(cls), cls
        elif func is None:
            return lambda function: self.register(cls, function)
        else:
            kinds = _classes(cls)
        for kind in kinds:
            self.__native__[_real(kind)] = func
        self.__found__.clear()
        return func

    def _for(self, value: Any) -> Callable[..., Any]:
        cls = type(value)
        found = self.__found__.get(cls)
        if found is None:
            if len(self.__found__) >= _REMEMBERED:
                self.__found__.clear()
            found = self.__found__[cls] = _chosen(self.__native__, cls)
        return found

    def __setattr__(self, name: str, value: object) -> None:
        raise SandboxError("attributes of a generic function cannot be set in workflow code")

    def __repr__(self) -> str:
        return f"<function {self.__qualname__}>"


class MethodDispatcher:
    """What `@singledispatchmethod` makes of a method: it goes by the first argument after `self`.

    `func` may be a class method or a static method, as may the registered functions.
    """

    __slots__ = ("__native__",)
    __native__: tuple[Dispatcher, Any]

    def __init__(self, func: Any) -> None:
        object.__setattr__(self, "__native__", (Dispatcher(_plain(func)), func))
        self.__native__[0].__native__[object] = func

    def register(self, cls: Any, method: Any = None) -> Any:
        """Register a method, as `Dispatcher.register`."""
        if method is None and isinstance(cls, classmethod | staticmethod):
            for kind in _annotated(_plain(cls)):
                self.__native__[0].register(kind, cls)
            return cls
        return self.__native__[0].register(cls, method)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            if not args:
                raise TypeError("a method by type requires at least 1 positional argument")
            found: Any = self.__native__[0]._for(args[0])
            return found.__get__(instance, owner)(*args, **kwargs)

        return call

    def __setattr__(self, name: str, value: object) -> None:
        raise SandboxError("attributes of a generic method cannot be set in workflow code")


def _plain(func: Any) -> Any:
    return func.__func__ if isinstance(func, classmethod | staticmethod | MethodType) else func


def _is_class(value: Any) -> bool:
    return isinstance(value, type | UnionType) or typing.get_origin(value) is typing.Union


def _classes(kind: Any) -> list[type]:
    kinds = list(typing.get_args(kind)) if not isinstance(kind, type) else [kind]
    for each in kinds:
        if not isinstance(each, type):
            raise TypeError(f"{each!r} is not a class")
    return kinds


def _real(cls: Any) -> type:
    if not isinstance(cls, type):
        raise TypeError(f"{cls!r} is not a class")
    return _REAL.get(cls, cls)


def _chosen(registry: dict[type, Callable[..., Any]], cls: type) -> Callable[..., Any]:
    """The function registered for the class that comes first among the classes of `cls`.

    Abstract classes stand behind those that `cls` is made of; of several, the most specific one
    counts. Raises RuntimeError where neither of two is.
    """
    line = cls.__mro__
    for base in line[:-1]:
        if base in registry:
            return registry[base]
    abstract = [kind for kind in registry if kind not in line and issubclass(cls, kind)]
    for kind in abstract:
        if all(issubclass(kind, other) for other in abstract):
            return registry[kind]
    if abstract:
        names = " or ".join(kind.__name__ for kind in abstract)
        raise RuntimeError(f"ambiguous dispatch: {names}")
    return registry[object]


def _annotated(func: FunctionType) -> list[type]:
    """The classes that the annotation of the first parameter of `func` names."""
    if not owns(func):
        raise SandboxError("register() takes functions of the workflow")
    code, notes = func.__code__, func.__annotations__
    first = next((n for n in code.co_varnames[: code.co_argcount] if n in notes), None)
    if first is None:
        raise TypeError(f"{func.__qualname__}() has no annotated parameter: {_WRITE_CLASS}")
    return _classes(_found(ast.parse(str(notes[first]), mode="eval").body, func))


def _found(node: ast.expr, func: FunctionType) -> Any:
    space: dict[str, Any] = func.__globals__
    match node:
        case ast.Name(id=name) if name in space:
            return space[name]
        case ast.Name(id=name) if name in space["__builtins__"]:
            return space["__builtins__"][name]
        case ast.Attribute(value=value, attr=attr):
            return guards.read(_found(value, func), attr)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _found(left, func) | _found(right, func)
        case ast.Constant(value=None):
            return type(None)
        case ast.Constant(value=str(text)):
            return _found(ast.parse(text, mode="eval").body, func)
    raise SandboxError(
        f"the annotation {ast.unparse(node)!r} of {func.__qualname__}() does not name a class of "
        f"the module: {_WRITE_CLASS}"
    )

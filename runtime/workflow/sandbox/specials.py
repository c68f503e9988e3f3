"""Special methods that workflow code calls by their names.

`Base.__init__(self, …)`, `self.__eq__(other)`, `key=prices.__getitem__`: of objects of the
workflow's own classes they give what `super()` would give there, and of plain data what the
operator does. Everything else has to be written as the operator or the function that it stands for.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from workflow.sandbox import guards, names, texts
from workflow.sandbox.operations import NUMBERS
from workflow.sandbox.ownership import MARK, TOKEN
from workflow.sets import FrozenSet, Set

__all__ = ["calls_of_bases", "is_special_read", "special", "special_of"]

_BY_NAME = names.CALLABLE_ON_SUPER - {"__await__"}  # which has its own guard
_DATA = NUMBERS | {str, bytes, bytearray, list, tuple, dict, range, Set, FrozenSet}
# Texts may have an address in them, views of dicts combine to built-in sets, and the rest would
# change what others hold.
_OF_DATA = (
    _BY_NAME
    - names.TEXTS
    - names.COMBINING
    - {"__call__", "__iand__", "__imod__", "__init__", "__ior__", "__isub__", "__ixor__"}
)

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def _is_dotted(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def is_special_read(node: ast.Attribute) -> bool:
    """Whether it is the `x.__eq__` of a variable, or `iter(x).__next__`: the object decides.

    Of a builtin it is never: `str.__format__` makes texts of anything.
    """
    if not isinstance(node.ctx, ast.Load) or node.attr not in _BY_NAME:
        return False
    match node.value:
        case ast.Call(func=ast.Name(id="iter")):
            return node.attr == "__next__"
        case ast.Name(id=name):
            return not hasattr(builtins, name)
        case value:
            return _is_dotted(value)


def calls_of_bases(node: ast.ClassDef) -> Iterator[ast.Call]:
    """The `Base.__init__(self, …)` in the methods of a class: calls of a special method of a class
    with the object that the method has been called for."""
    for method in node.body:
        if not isinstance(method, _Function):
            continue
        spec = method.args
        receivers = {arg.arg for arg in (*spec.posonlyargs, *spec.args)[:1]}
        for part in ast.walk(method):
            match part:
                case ast.Call(
                    func=ast.Attribute(value=owner, attr=name), args=[ast.Name(id=first), *_]
                ) if first in receivers and name in _BY_NAME and _is_dotted(owner):
                    # The texts of `object` are its address.
                    is_object = isinstance(owner, ast.Name) and owner.id == "object"
                    if not (is_object and name in names.TEXTS):
                        yield part


def special(value: Any, name: str) -> Any:
    """`value.__name__` for workflow code, where the text says which special method it is."""
    cls = type(value)
    if getattr(cls, MARK, None) is TOKEN:
        return texts.told_above(value, name, getattr(value, name))
    is_data = cls in _DATA and name in _OF_DATA
    is_iterator = name == "__next__" and not issubclass(cls, type | super)
    if not (is_data or is_iterator):
        guards.refuse(name, f"write `{names.SPELLED[name]}`" if name in names.SPELLED else "")
    return getattr(value, name)


def special_of(owner: Any, name: str, value: Any) -> Callable[..., Any]:
    """What `owner.__name__(value, …)` calls with the rest of its arguments."""
    if not issubclass(type(owner), type):
        return partial(special(owner, name), value)
    cls = type(value)
    if getattr(cls, MARK, None) is not TOKEN or owner not in cls.__mro__:
        guards.refuse(name, f"{owner.__name__} is no base class of this object")
    for base in owner.__mro__:
        if name in base.__dict__:
            native = base.__dict__[name].__get__(value, cls)
            found: Callable[..., Any] = texts.told_above(value, name, native)
            return found
    raise AttributeError(f"type object {owner.__name__!r} has no attribute {name!r}")

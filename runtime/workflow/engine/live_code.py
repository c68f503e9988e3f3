"""The user's own functions and code objects, found in modules that are loaded.

Decorators may have put something else in the place of a function, and a registered workflow has
had its code replaced. What is looked for here is always what the user wrote: never a copy of the
text, so that bodies run with their own lines and file names.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import partial
from pathlib import PurePath
from types import CodeType, FunctionType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from workflow.codec.closures import find_code

__all__ = ["nested_code", "original", "plain", "refuse_calls"]

_REPLACED: WeakKeyDictionary[FunctionType, CodeType] = WeakKeyDictionary()
_SEARCHED = 200  # objects looked at behind a decorator


def plain(function: Any) -> Any:
    """The function behind a static, class or bound method; anything else as it is."""
    while isinstance(function, staticmethod | classmethod) or inspect.ismethod(function):
        function = function.__func__
    return function


def original(found: Any, qualname: str, file: str) -> FunctionType | None:
    """The user's function `qualname` behind `found`, which decorators may have wrapped.

    Looks through `__wrapped__`, closures and attributes for a function of a file of this name
    (without folders); None when it is not there.
    """
    seen: set[int] = set()
    queue = [found]
    for value in queue:
        if id(value) in seen or len(seen) > _SEARCHED:
            continue
        seen.add(id(value))
        if isinstance(value, FunctionType):
            code = _code_of(value)
            if code.co_qualname == qualname and PurePath(code.co_filename).name == file:
                return value
        queue.extend(_behind(value))
    return None


def nested_code(module: ModuleType, qualname: str) -> CodeType | None:
    """The code of a function inside of a function of `module`, None when there is none.

    `qualname` is its `__qualname__`, such as `outer.<locals>.inner`.
    """
    outer = qualname.partition(".<locals>.")[0]
    function = original(_found(module, outer), outer, PurePath(module.__file__ or "").name)
    if function is not None:
        code = find_code(_code_of(function), qualname)
        if code is not None:
            return code
    whole = _module_code(module)
    return None if whole is None else find_code(whole, qualname)


def refuse_calls(function: FunctionType, message: str) -> None:
    """Make awaiting a call of `function` raise DirectCallError. Doing it twice changes nothing.

    The function object stays the same, so every module that imported it sees the change. Its
    signature can still be asked for, and its own code is still found by `nested_code`.
    """
    if function in _REPLACED:
        return
    function.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    _REPLACED[function] = function.__code__
    function.__kwdefaults__ = None
    function.__code__ = _REFUSING.replace(
        co_filename=function.__code__.co_filename,  # a traceback ends at the user's `async def`
        co_firstlineno=function.__code__.co_firstlineno,
        co_name=function.__name__,
        co_qualname=function.__qualname__,
        co_freevars=function.__code__.co_freevars,  # unused; Python wants as many as before
        co_consts=tuple(
            message if constant == "{message}" else constant for constant in _REFUSING.co_consts
        ),
    )


def _code_of(function: FunctionType) -> CodeType:
    return _REPLACED.get(function, function.__code__)


def _found(module: ModuleType, qualname: str) -> Any:
    """What a dotted name stands for, without running descriptors; None when it is not there."""
    value: Any = module
    for part in qualname.split("."):
        try:
            value = vars(value)[part]
        except (KeyError, TypeError):
            return None
    return value


def _behind(value: Any) -> Iterator[Any]:
    """What a decorator may have kept the function in, likeliest first."""
    if isinstance(value, staticmethod | classmethod) or inspect.ismethod(value):
        yield value.__func__
    elif isinstance(value, property):
        yield from (each for each in (value.fget, value.fset, value.fdel) if each is not None)
    elif isinstance(value, partial):
        yield value.func
    elif callable(value) and not isinstance(value, type):
        try:
            kept = vars(value)
        except TypeError:
            kept = {}
        if "__wrapped__" in kept:
            yield kept["__wrapped__"]
        for cell in getattr(value, "__closure__", None) or ():
            try:
                yield cell.cell_contents
            except ValueError:  # not assigned yet
                continue
        yield from kept.values()


def _module_code(module: ModuleType) -> CodeType | None:
    loader = getattr(module.__spec__, "loader", None)
    get_code = getattr(loader, "get_code", None)
    if get_code is None:
        return None
    try:
        code = get_code(module.__name__)
    except (ImportError, OSError, SyntaxError, ValueError):
        return None
    return code if isinstance(code, CodeType) else None


def _refusing() -> CodeType:
    """The code that takes the place of a workflow's, on one line and without columns.

    A coroutine function, as the one whose code it replaces: Python refuses other kinds. It runs
    with the globals of the user's module, so it can use nothing but its own constants.
    """
    tree = ast.parse(
        "async def _refuse(*args, **kwargs):\n"
        "    from workflow.errors import DirectCallError\n"
        "    raise DirectCallError('{message}')\n"
    )
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt | ast.expr | ast.arg | ast.alias):
            node.lineno = node.end_lineno = 1
            node.col_offset = node.end_col_offset = -1  # no column: the line is not this text
    (made,) = (c for c in compile(tree, __file__, "exec").co_consts if isinstance(c, CodeType))
    return made


_REFUSING = _refusing()

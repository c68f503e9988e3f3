"""The builtins of workflow code, and the namespace a module of a bundle starts with."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from types import FunctionType
from typing import Any

from workflow.replay.limits import FUEL, refuel
from workflow.replay.sampling import LOOK
from workflow.replay.stack import check
from workflow.sandbox import guards, texts
from workflow.sandbox.abandoned import COLLECTING, is_collected
from workflow.sandbox.annotations import evaluate
from workflow.sandbox.classes import TypeProxy, build_class
from workflow.sandbox.endless import iterate
from workflow.sandbox.facades.speech import speak_print
from workflow.sandbox.hashes import hash_of
from workflow.sandbox.operations import (
    HARMLESS,
    IN_PLACE,
    NUMBERS,
    OPERATIONS,
    remainder,
    remainder_in_place,
)
from workflow.sandbox.ownership import MARK, TOKEN
from workflow.sandbox.patterns import matchable
from workflow.sandbox.specials import special, special_of
from workflow.sets import FrozenSet, Set, ordered

__all__ = ["BUILTINS", "fresh_builtins", "fresh_namespace"]

# Left out: what runs or reads text (eval, open, input), hands out namespaces (globals, vars, dir),
# or differs between processes (id: addresses).
_NATIVE_NAMES = """
ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup BlockingIOError
BrokenPipeError BufferError BytesWarning ChildProcessError ConnectionAbortedError ConnectionError
ConnectionRefusedError ConnectionResetError DeprecationWarning EOFError Ellipsis EncodingWarning
EnvironmentError Exception ExceptionGroup False FileExistsError FileNotFoundError
FloatingPointError FutureWarning GeneratorExit IOError ImportError ImportWarning IndentationError
IndexError InterruptedError IsADirectoryError KeyError KeyboardInterrupt LookupError MemoryError
ModuleNotFoundError NameError None NotADirectoryError NotImplemented NotImplementedError OSError
OverflowError PendingDeprecationWarning PermissionError ProcessLookupError RecursionError
ReferenceError ResourceWarning RuntimeError RuntimeWarning StopAsyncIteration StopIteration
SyntaxError SyntaxWarning SystemError SystemExit TabError TimeoutError True TypeError
UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError
UnicodeWarning UserWarning ValueError Warning ZeroDivisionError
abs aiter all anext any bin bool bytearray bytes callable chr classmethod complex dict divmod
enumerate filter float hex int isinstance issubclass len list map max min
next object oct ord pow property range reversed round slice sorted staticmethod str sum
super tuple zip
"""
_NATIVE = frozenset(_NATIVE_NAMES.split())

_GUARDED: dict[str, Any] = {
    "__build_class__": build_class,
    "ascii": texts.ascii_text,
    "delattr": guards.delete,
    "format": texts.format_text,
    "frozenset": FrozenSet,
    "getattr": guards.read,
    "hasattr": guards.has,
    "hash": hash_of,
    "iter": iterate,
    "print": speak_print,
    "repr": texts.repr_text,
    "set": Set,
    "setattr": guards.write,
    "type": TypeProxy,
}

for _name, _ours in _GUARDED.items():
    if type(_ours) is FunctionType:
        _ours.__name__ = _ours.__qualname__ = _name  # what error messages show

BUILTINS = _NATIVE | {name for name in _GUARDED if not name.startswith("_")}
"""The builtin names workflow code can use."""

_SHARED = {name: getattr(builtins, name) for name in _NATIVE} | _GUARDED


def fresh_builtins(importer: Callable[..., Any]) -> dict[str, Any]:
    """The builtins of one instance of a bundle; `importer` stands behind its import statements."""
    return {**_SHARED, "__import__": importer}


_GUARDS = {
    "$annotation": evaluate,
    "$awaited": guards.awaited,
    "$class": TypeProxy,
    "$collected": is_collected,
    "$collecting": COLLECTING,
    "$deep": check,
    "$exact": texts.EXACT,
    "$field": texts.field_text,
    "$fuel": FUEL,
    "$late": texts.late,
    "$look": LOOK,
    "$maker": texts.maker,
    "$matchable": matchable,
    "$maker_of_text": texts.text_of,
    "$members": Set,
    "$next": next,
    "$numbers": NUMBERS,
    "$percent": texts.percent,
    "$place": guards.place,
    "$harmless": HARMLESS,
    "$refuel": refuel,
    "$iremainder": remainder_in_place,
    "$remainder": remainder,
    "$set": ordered,
    "$shown": texts.shown,
    "$special": special,
    "$special_of": special_of,
    "$str": texts.call_text,
    "$str_of": texts.call_text_of_one,
    "$super": guards.above,
    "$text": str,
    "$type": type,
    **{f"${sign}": operate for sign, operate in OPERATIONS.items()},
    **{f"$i{sign}": operate for sign, operate in IN_PLACE.items()},
    MARK: TOKEN,
}


def fresh_namespace(
    name: str, package: str, space: dict[str, Any], *, lasting: bool = False
) -> dict[str, Any]:
    """The globals of one module: its name, the builtins `space`, and the guards its code calls.

    A `lasting` one outlives runs, so that it must not remember the classes of any.
    """
    owned: set[type] = set()
    plain: set[type] = set()
    return {
        "__builtins__": space,
        "__name__": name,
        "__package__": package,
        "$owned": owned,
        "$plain": plain,
        "$read": guards.reading(plain, lasting=lasting),
        "$write": guards.remembering(owned, lasting=lasting),
        **_GUARDS,
    }

"""The builtins of workflow code, and the namespace a module of a bundle starts with."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

from workflow.sandbox import guards, texts
from workflow.sandbox.annotations import evaluate
from workflow.sandbox.classes import TypeProxy, build_class
from workflow.sandbox.facades.speech import speak_print
from workflow.sandbox.ownership import MARK, TOKEN

__all__ = ["BUILTINS", "fresh_builtins", "fresh_namespace"]

# Left out: what runs or reads text (eval, open, input), hands out namespaces (globals, vars, dir),
# or differs between processes (id and hash: addresses and hash seeds).
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
enumerate filter float frozenset hex int isinstance issubclass iter len list map max min
next object oct ord pow property range reversed round set slice sorted staticmethod str sum
super tuple zip
"""
_NATIVE = frozenset(_NATIVE_NAMES.split())

_GUARDED: dict[str, Any] = {
    "__build_class__": build_class,
    "ascii": texts.ascii_text,
    "delattr": guards.delete,
    "format": texts.format_text,
    "getattr": guards.read,
    "hasattr": guards.has,
    "print": speak_print,
    "repr": texts.repr_text,
    "setattr": guards.write,
    "type": TypeProxy,
}

BUILTINS = _NATIVE | {name for name in _GUARDED if not name.startswith("_")}
"""The builtin names workflow code can use."""

_SHARED = {name: getattr(builtins, name) for name in _NATIVE} | _GUARDED


def fresh_builtins(importer: Callable[..., Any]) -> dict[str, Any]:
    """The builtins of one instance of a bundle; `importer` stands behind its import statements."""
    return {**_SHARED, "__import__": importer}


def fresh_namespace(name: str, package: str, space: dict[str, Any]) -> dict[str, Any]:
    """The globals of one module: its name, the builtins `space`, and the guards its code calls."""
    return {
        "__builtins__": space,
        "__name__": name,
        "__package__": package,
        "$annotation": evaluate,
        "$field": texts.field_text,
        "$maker": texts.maker,
        "$percent": texts.percent,
        "$read": guards.read,
        "$str": texts.call_text,
        "$super": guards.above,
        "$write": guards.writable,
        MARK: TOKEN,
    }

"""Nested functions taken apart and made again.

A function that stands inside another one is made afresh at every call of the outer one. What
distinguishes two of them is data: the captured variables and the defaults. Their code is the same
object, found once by its qualified name. So a nested function can be made again from that code and
the recorded data, in another process as well, without running the outer function.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import CellType, CodeType, FunctionType
from typing import Any

__all__ = ["captured_by", "find_code", "is_nested", "rebuild"]


def is_nested(qualname: str) -> bool:
    """Whether a `__qualname__` is that of a function inside of another function."""
    return ".<locals>." in qualname


def find_code(root: CodeType, qualname: str) -> CodeType | None:
    """The code of the function with this `__qualname__` in the code around it, which may be itself.

    Of several, such as definitions in an `if` and its `else`, the last one in the text.
    """
    found: CodeType | None = None
    left = [root]
    while left:
        code = left.pop()
        if code.co_qualname == qualname and code.co_flags & inspect.CO_OPTIMIZED:
            later = found is None or code.co_firstlineno > found.co_firstlineno
            found = code if later else found
        left.extend(inner for inner in code.co_consts if isinstance(inner, CodeType))
    return found


def captured_by(function: FunctionType) -> dict[str, Any]:
    """The captured variables of a nested function, sorted by name, without its own name.

    Raises ValueError, with the name, for a variable that has no value yet.
    """
    code = function.__code__
    cells = dict(zip(code.co_freevars, function.__closure__ or (), strict=True))
    captured: dict[str, Any] = {}
    for name in sorted(cells):
        if _is_own(name, code):
            continue
        try:
            captured[name] = cells[name].cell_contents
        except ValueError:
            raise ValueError(name) from None
    return captured


def rebuild(
    code: CodeType,
    space: dict[str, Any],
    captured: Mapping[str, Any],
    defaults: tuple[Any, ...] | None = None,
    kwdefaults: Mapping[str, Any] | None = None,
) -> FunctionType:
    """The function of `code` in the globals `space`, around these captured variables.

    What was captured and is not used any more is left out. Raises TypeError that names the
    variables which the code uses and which were not captured.
    """
    missing = [n for n in code.co_freevars if n not in captured and not _is_own(n, code)]
    if missing:
        names = ", ".join(repr(name) for name in missing)
        raise TypeError(
            f"{code.co_qualname} uses {names} of the function around it, which was not recorded"
        )
    itself = CellType()
    closure = tuple(
        CellType(captured[name]) if name in captured else itself for name in code.co_freevars
    )
    function = FunctionType(code, space, code.co_name, defaults, closure)
    function.__kwdefaults__ = dict(kwdefaults) if kwdefaults else None
    itself.cell_contents = function
    return function


def _is_own(name: str, code: CodeType) -> bool:
    """Whether a free variable is the function's own name, as recursion uses it."""
    own = code.co_name
    if own.startswith("__") and not own.endswith("__"):  # in a class the compiler mangles it
        return name == own or (name.startswith("_") and name.endswith(own))
    return name == own

"""Which objects belong to workflow code: it may write their attributes and read private ones.

A class made by a bundle carries a mark under a name that cannot be spelled in Python source; a
function of a bundle has the mark in its globals. The mark is inherited and copied with the class
(`@dataclass(slots=True)` makes a second class), and says nothing about `__module__`, which stays
the name of the user's module.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

__all__ = ["MARK", "TOKEN", "claim", "owns"]

MARK = "$owner"
TOKEN = object()


def claim(cls: type) -> None:
    """Mark a class as made by workflow code."""
    setattr(cls, MARK, TOKEN)


def owns(value: object) -> bool:
    """Whether `value` is a class or function of workflow code, or an instance of such a class."""
    cls: type = type(value)
    if getattr(cls, MARK, None) is TOKEN:
        return True
    if isinstance(value, type):
        return getattr(value, MARK, None) is TOKEN
    if cls is FunctionType:
        namespace: dict[str, Any] = value.__globals__  # type: ignore[attr-defined]
        return namespace.get(MARK) is TOKEN
    return False

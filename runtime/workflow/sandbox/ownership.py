"""Which objects belong to workflow code: it may write their attributes and read private ones.

A class made by a bundle carries a mark under a name that cannot be spelled in Python source; a
function of a bundle has the mark in its globals. The mark is inherited and copied with the class
(`@dataclass(slots=True)` makes a second class), and says nothing about `__module__`, which stays
the name of the user's module.

Some classes are made once for all runs (`sharing.py`). They have another mark, which is not
inherited: the class that a run derives from one is the run's own.
"""

from __future__ import annotations

from enum import Enum
from types import FunctionType
from typing import Any

__all__ = ["MARK", "SHARED", "TOKEN", "claim", "is_shared", "owns", "share"]

MARK = "$owner"
TOKEN = object()


SHARED = "$shared"


def share(value: Any) -> None:
    """Mark a class that all runs of a process share: nobody may write to it."""
    if isinstance(value, type):
        setattr(value, SHARED, True)


def is_shared(value: object) -> bool:
    """Whether it is such a class, a member of such an enum, or a method of such a class. A function
    that such a method makes is of the run that has called it."""
    cls: type = type(value)
    if cls is FunctionType:
        function: Any = value
        return SHARED in function.__globals__ and ".<locals>." not in function.__code__.co_qualname
    if isinstance(value, Enum):
        return SHARED in cls.__dict__
    return isinstance(value, type) and SHARED in value.__dict__


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

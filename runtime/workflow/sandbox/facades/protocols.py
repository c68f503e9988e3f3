"""`typing.runtime_checkable` for protocols of the workflow.

`isinstance` with such a protocol looks for attributes on objects of any class. That tells no more
than `hasattr` does, but a class pattern with positions would go on to read them, natively. So a
class that has positions to match by cannot be a protocol (see also `dataclass`).
"""

from __future__ import annotations

import typing
from typing import Any

from workflow.errors import SandboxError
from workflow.sandbox import guards
from workflow.sandbox.ownership import MARK

__all__ = ["refuse_protocol", "runtime_checkable"]

# The mark of a class is no member that objects would have to have as well. typing has no other way
# to say so; a name that only the sandbox uses changes nothing for anyone else.
_typing: Any = typing
_typing.EXCLUDED_ATTRIBUTES = type(_typing.EXCLUDED_ATTRIBUTES)(
    [*_typing.EXCLUDED_ATTRIBUTES, MARK]
)


def runtime_checkable(cls: Any) -> Any:
    """`typing.runtime_checkable` for classes of the workflow."""
    guards.writable(cls)
    if not isinstance(cls, type) or not getattr(cls, "_is_protocol", False):
        raise TypeError("@runtime_checkable can be only applied to protocol classes")
    for base in cls.__mro__:
        if "__match_args__" in base.__dict__:
            raise SandboxError(f"protocol {cls.__name__}: a class with fields is no protocol")
    return typing.runtime_checkable(cls)


def refuse_protocol(cls: Any) -> None:
    """Raise for a protocol that is about to get positions to match by."""
    if getattr(cls, "_is_protocol", False):
        raise SandboxError(
            f"protocol {cls.__name__}: a dataclass cannot be a protocol in workflow code; "
            "write the annotations alone"
        )

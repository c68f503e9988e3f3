"""Fields of pydantic models whose type is a set: validated by pydantic, in the order of the input.

pydantic collects the members in a built-in set, whose order is that of the process. The validator
of the members notes each of them as it comes out; the order of the notes is that of the input.
"""

from __future__ import annotations

import threading
from typing import Any, get_args

__all__ = ["schema"]


class _Notes(threading.local):
    """One list for each set that is being validated: sets may stand in sets."""

    def __init__(self) -> None:
        self.stack: list[list[Any]] = []


_notes = _Notes()


def _note(member: Any) -> Any:
    _notes.stack[-1].append(member)
    return member


def _validate(cls: Any, value: Any, handler: Any) -> Any:
    _notes.stack.append([])
    try:
        if isinstance(value, (set, frozenset)):
            # Also a built-in set is walked in an order of ours.
            value = list(cls(value))
        handler(value)
    finally:
        members = _notes.stack.pop()
    return cls(members)


def schema(cls: Any, source: Any, handler: Any) -> Any:
    """The core schema of `cls`, one of the twins, or of a generic alias of it, in a model."""
    from pydantic_core import core_schema

    members = get_args(source)
    inner = handler.generate_schema(members[0]) if members else core_schema.any_schema()
    noting = core_schema.no_info_after_validator_function(_note, inner)
    frozen = issubclass(cls._real, frozenset)
    make = core_schema.frozenset_schema if frozen else core_schema.set_schema

    def validate(value: Any, handler: Any) -> Any:
        return _validate(cls, value, handler)

    def serialize(value: Any, handler: Any, info: Any) -> Any:
        members = handler(list(value))
        return members if info.mode == "json" else cls(members)

    return core_schema.no_info_wrap_validator_function(
        validate,
        make(noting),
        serialization=core_schema.wrap_serializer_function_ser_schema(
            serialize, info_arg=True, schema=core_schema.list_schema(inner)
        ),
    )

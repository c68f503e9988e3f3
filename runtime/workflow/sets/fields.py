"""Fields of pydantic models whose type is a set: validated by pydantic, in the order of the input.

pydantic collects the members in a built-in set, whose order is that of the process. The validator
of the members notes each of them as it comes out; the order of the notes is that of the input.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, get_args

from workflow.sets.ordered import settled

__all__ = ["schema"]

# The notes of the set that is being validated; sets may stand in sets.
_notes: ContextVar[list[Any]] = ContextVar("members of a set")


def _note(member: Any) -> Any:
    _notes.get().append(member)
    return member


def _validate(cls: Any, value: Any, handler: Any) -> Any:
    members: list[Any] = []
    token = _notes.set(members)
    try:
        # pydantic walks a set by `iter`; a built-in one gets an order first.
        handler(settled(value))
    finally:
        _notes.reset(token)
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

    # pydantic looks into every set it is given back, and makes a built-in one of it. What it is to
    # turn into text in JSON, it leaves alone elsewhere.
    as_it_is = core_schema.any_schema(serialization=core_schema.to_string_ser_schema())
    copied = core_schema.any_schema(
        serialization=core_schema.plain_serializer_function_ser_schema(cls, return_schema=as_it_is)
    )
    written = core_schema.wrap_serializer_function_ser_schema(
        lambda value, _: list(value),
        schema=copied,
        return_schema=core_schema.list_schema(inner),
        when_used="json",
    )
    wrap = core_schema.no_info_wrap_validator_function
    return core_schema.json_or_python_schema(
        # An array is the only way to write a set in JSON, also where types are taken strictly.
        wrap(validate, make(noting, strict=False)),
        wrap(validate, make(noting)),
        serialization=written,
    )

"""`pprint.pformat` for workflow code: no addresses, neither written out nor to sort by."""

from __future__ import annotations

from functools import cache
from typing import Any

from workflow.sandbox.facades.own_modules import own_copy
from workflow.sandbox.texts import repr_text
from workflow.sets import FrozenSet, Set

__all__ = ["pformat"]


class _Key:
    """What the original sorts keys and members by. Those that no order is known of stay as they
    came, grouped by their types."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __lt__(self, other: _Key) -> Any:
        try:
            return self._value < other._value
        except TypeError:
            return str(type(self._value)) < str(type(other._value))


def _recursion(value: object) -> str:
    return f"<Recursion on {type(value).__name__}>"


@cache
def _printer() -> Any:
    module = own_copy("pprint")
    module._safe_key = _Key
    module._recursion = _recursion
    # Before the lines are broken: how long they are depends on it.
    module.repr = repr_text
    write_set = module.PrettyPrinter._pprint_set
    marks = {Set: ("{", "}"), FrozenSet: ("frozenset({", "})")}

    def write_ours(self: Any, value: Any, stream: Any, indent: int, *rest: Any) -> None:
        if not value or type(value) not in marks:
            write_set(self, value, stream, indent, *rest)
            return
        allowance, context, level = rest
        begin, end = marks[type(value)]
        stream.write(begin)
        members = sorted(value, key=_Key)
        indent += len(begin) - 1
        self._format_items(members, stream, indent, allowance + len(end), context, level)
        stream.write(end)

    for kind in marks:
        module.PrettyPrinter._dispatch[kind.__repr__] = write_ours
    return module


def pformat(object: Any, *args: Any, **options: Any) -> str:
    """`pprint.pformat` for workflow code."""
    text: str = _printer().pformat(object, *args, **options)
    return text

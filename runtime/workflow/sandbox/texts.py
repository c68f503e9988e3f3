"""Texts made of values, without what differs between processes.

The default repr of functions, methods, generators and of many library objects has the address of
the object in it, that of a task the path of a file. In a text that becomes the argument of a step,
or decides a branch, that would be another value at every replay: it is left out.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Collection
from decimal import Decimal
from functools import partial
from typing import Any

from workflow.addresses import without_addresses
from workflow.sandbox import names
from workflow.sandbox.facades.dates import portable
from workflow.sets import settled

__all__ = [
    "EXACT",
    "ascii_text",
    "call_text",
    "call_text_of_one",
    "field_text",
    "format_text",
    "late",
    "maker",
    "percent",
    "repr_text",
    "shown",
    "text_above",
    "text_of",
    "told",
    "told_above",
]

_ADDRESS = re.compile(
    r" (?:at|@) 0x[0-9A-Fa-f]+"
    r"| (?:running|defined) at [^<>]*:[0-9]+(?=>)"
    r"| cb=\[[^\[\]]*\]"  # of futures: places in the files of asyncio
)
_CONVERSIONS: dict[int, Callable[[Any], str]] = {ord("s"): str, ord("r"): repr, ord("a"): ascii}

EXACT = frozenset({bool, bytes, float, int, str, type(None)})
"""What formats to the same text everywhere."""


_BYTES_ADDRESS = re.compile(_ADDRESS.pattern.encode())


def _suspicious(text: str) -> bool:
    return " at " in text or " cb=" in text or " @ 0x" in text


def _plain(text: Any, value: object) -> Any:
    """`text`, made of `value`, without addresses. What is text or a number itself stays."""
    if type(value) in EXACT or not isinstance(text, str) or not _suspicious(text):
        return text
    return _ADDRESS.sub("", text)


def told(text: Any) -> Any:
    """A message that somebody else has made, without addresses; anything but text as it is."""
    return without_addresses(text) if type(text) is str else text


def repr_text(obj: Any, /) -> str:
    """`repr` for workflow code."""
    text: str = _plain(repr(obj), obj)
    return text


def ascii_text(obj: Any, /) -> str:
    """`ascii` for workflow code."""
    text: str = _plain(ascii(obj), obj)
    return text


def format_text(value: Any, format_spec: str = "", /) -> str:
    """`format` for workflow code."""
    text: str = _plain(format(value, _portable(value, format_spec)), value)
    return text


def _portable(value: Any, spec: str) -> str:
    """A format specification that does not ask the machine for its zone or locale."""
    if type(value) is str or not isinstance(spec, str):
        return spec
    if isinstance(value, datetime.date | datetime.time):
        return portable(spec, value)
    if spec[-1:] == "n" and isinstance(value, int | float | complex | Decimal):
        return spec[:-1] + ("d" if isinstance(value, int) else "g")
    return spec


def text_above(owner: Any, name: str, native: Callable[..., str]) -> Callable[..., str]:
    """`super().__repr__`, `__str__`, `__format__` or `__mod__` of `owner`, which is `native`."""
    if name == "__mod__":
        return lambda values, /: _formatted(native(values), values)
    if name == "__format__":
        return lambda spec, /: _plain(native(_portable(owner, spec)), owner)
    return lambda: _plain(native(), owner)


def told_above(owner: Any, name: str, native: Any) -> Any:
    """The special method `native` of `owner`, an object of a workflow's own class: its texts
    without addresses, and what it combines in order."""
    if name in names.TEXTS:
        return text_above(owner, name, native)
    if name in names.COMBINING:
        return lambda other, /: settled(native(other), *_listed(owner, other))
    return native


def _listed(*sources: Any) -> list[Any]:
    # An iterator has been used up by then.
    return [each for each in sources if isinstance(each, Collection)]


def shown(value: Any) -> Any:
    """What stands for `value` in `f"{value}"`: itself if its text is the same everywhere."""
    return value if type(value) in EXACT else format_text(value)


class _Late:
    """What stands for a value in `f"{value:spec}"`: it makes the text `format_text` makes."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __format__(self, spec: str, /) -> str:
        return format_text(self._value, spec)


def late(value: Any) -> Any:
    """What stands for `value` in `f"{value:spec}"`, with a specification that is the same
    everywhere."""
    return value if type(value) in EXACT else _Late(value)


def field_text(value: Any, conversion: int, spec: str) -> str:
    """One replacement field of an f-string; `conversion` is -1 or the character after the `!`."""
    if conversion == -1:
        if type(value) in EXACT and spec[-1:] != "n":
            return format(value, spec)
        return format_text(value, spec)
    text: str = _plain(_CONVERSIONS[conversion](value), value)
    return format(text, spec)


def call_text(function: Any, /, *args: Any, **options: Any) -> Any:
    """A call of whatever is named `str`."""
    made = function(*args, **options)
    values = (*args, *options.values())
    if function is not str or len(values) != 1:
        return made  # of bytes and their encoding
    return _plain(made, values[0])


def call_text_of_one(function: Any, value: Any, /) -> Any:
    """As `call_text`, of one argument."""
    if function is not str:
        return function(value)
    return str(value) if type(value) in EXACT else _plain(str(value), value)


text_of = partial(call_text, str)
"""What is called where workflow code calls `str` by another name."""


def maker(function: Any, /) -> Any:
    """What is called when workflow code calls, or hands on, `function`, which may be `str`."""
    return text_of if function is str else function


def percent(template: Any, values: Any) -> Any:
    """`template % values`, as workflow code writes it with a literal template."""
    return _formatted(template % values, values)


def _formatted(made: Any, values: Any) -> Any:
    if isinstance(made, bytes | bytearray):  # of `b"%a"`
        return type(made)(_BYTES_ADDRESS.sub(b"", made)) if b" 0x" in made else made
    return _plain(made, values)

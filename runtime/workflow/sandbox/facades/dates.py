"""Dates as text, the same on every machine: without its zone, and in the words of the C locale."""

from __future__ import annotations

import re
from typing import Any

from workflow.errors import SandboxError

__all__ = ["DAYS", "MONTHS", "portable"]

_DIRECTIVE = re.compile(r"%([-_0^#+:]*)([0-9]*)[EO]?(.)", re.DOTALL)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
_WHOLE = {
    "c": "%a %b %e %H:%M:%S %Y",
    "h": "%b",
    "r": "%I:%M:%S %p",
    "x": "%m/%d/%y",
    "X": "%H:%M:%S",
}


def portable(format: str, moment: Any) -> str:
    """A format of `strftime` for `moment` (a date, a time, a datetime or a `struct_time`) with the
    words in place that would be those of the machine's locale.

    Raises `SandboxError` for `%s`, which asks the machine for its zone.
    """

    def written(directive: re.Match[str]) -> str:
        flags, width, letter = directive.groups()
        if letter == "s":
            raise SandboxError(
                "strftime('%s') depends on the machine; write int(moment.timestamp())"
            )
        if letter in _WHOLE:
            return _DIRECTIVE.sub(written, _WHOLE[letter])
        word = _word(letter, moment)
        if word is None:
            return directive[0]
        if "^" in flags or ("#" in flags and letter != "p"):
            word = word.upper()
        elif "#" in flags:
            word = word.lower()
        return word.rjust(int(width or 0), "0" if "0" in flags else " ")

    return _DIRECTIVE.sub(written, format)


def _word(letter: str, moment: Any) -> str | None:
    if letter in "aA":
        day = DAYS[_part(moment, "weekday", "tm_wday", 0)]
        return day if letter == "A" else day[:3]
    if letter in "bB":
        month = MONTHS[_part(moment, "month", "tm_mon", 1) - 1]
        return month if letter == "B" else month[:3]
    if letter in "pP":
        half = "PM" if _part(moment, "hour", "tm_hour", 0) >= 12 else "AM"
        return half if letter == "p" else half.lower()
    return None


def _part(moment: Any, name: str, field: str, missing: int) -> int:
    """A number of a moment; `missing` for one that it does not have, as in the original."""
    found: Any = getattr(moment, name, None)
    if found is None:
        found = getattr(moment, field, missing)
    number: int = found() if callable(found) else found
    return number

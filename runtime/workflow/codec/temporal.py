"""Times of JavaScript's Temporal, which devalue writes as their ISO 8601 texts.

They are only ever read: the times of Python have tags of their own, which keep their zones. What
Python has no type for comes back as its text, as URLs do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from workflow.codec.tags import read_zone

__all__ = ["READ"]

_LONGEST = 200
# Annotations such as `[u-ca=gregory]` say how to show a date, which is one of ISO all the same.
_MARKS = re.compile(r"\[!?[^\[\]]*\]")
_CALENDAR = re.compile(r"\[!?u-ca=[^\[\]]*\]")
_NANOSECONDS = re.compile(r"(\.[0-9]{6})[0-9]{1,3}")
_ZONE = re.compile(r"\[!?([^\[\]]*)\]")
_DURATION = re.compile(
    r"([+-]?)P(?:([0-9]+)Y)?(?:([0-9]+)M)?(?:([0-9]+)W)?(?:([0-9]+)D)?"
    r"(?:T(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)(?:\.([0-9]{1,9}))?S)?)?"
)


def _text(given: Any) -> str:
    if type(given) is not str or not 0 < len(given) <= _LONGEST:
        raise TypeError("expected a text")
    return given


def _plain(given: Any) -> str:
    """The text without its annotations, and with microseconds where it had nanoseconds."""
    return _NANOSECONDS.sub(r"\1", _MARKS.sub("", _text(given)))


def _instant(given: Any) -> datetime:
    found = datetime.fromisoformat(_plain(given))
    if found.tzinfo is None:
        raise ValueError("it has no offset")
    return found


def _zoned(given: Any) -> datetime:
    """In its zone; of two equal readings of a clock, the one that the offset says."""
    moment = _instant(given)
    named = _ZONE.search(_CALENDAR.sub("", _text(given)))
    if named is None:
        raise ValueError("it names no zone")
    return moment.astimezone(read_zone(named[1]))


def _naive(given: Any) -> datetime:
    found = datetime.fromisoformat(_plain(given))
    if found.tzinfo is not None:
        raise ValueError("it has an offset")
    return found


def _duration(given: Any) -> timedelta | str:
    """A timedelta; the text itself where it counts years or months, which are not of one length."""
    text = _text(given)
    found = _DURATION.fullmatch(text)
    if found is None or not any(part is not None for part in found.groups()[1:]):
        raise ValueError("it is no duration")
    sign, years, months, *rest, fraction = found.groups()
    if years is not None or months is not None:
        return text
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in rest)
    micros = int((fraction or "").ljust(6, "0")[:6])
    length = timedelta(
        weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds, microseconds=micros
    )
    return -length if sign == "-" else length


READ: Mapping[str, Callable[[Any], Any]] = {
    "Temporal.Instant": _instant,
    "Temporal.ZonedDateTime": _zoned,
    "Temporal.PlainDateTime": _naive,
    "Temporal.PlainDate": lambda given: date.fromisoformat(_plain(given)),
    "Temporal.PlainTime": lambda given: time.fromisoformat(_plain(given)),
    "Temporal.Duration": _duration,
    "Temporal.PlainMonthDay": _text,
    "Temporal.PlainYearMonth": _text,
}
"""How the payload of each tag is read. They raise ValueError or TypeError for malformed ones."""

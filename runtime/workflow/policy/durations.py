"""Durations and due times as authors write them.

Authors say `"10s"`, `"7 days"`, `1.5` or a timedelta; the log only ever holds microseconds. Units
follow the npm package `ms`: a year is 365.25 days. A month is 30 days, because a duration must not
depend on the day it is counted from. Bare numbers are seconds everywhere.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

__all__ = ["MAX_SECONDS", "deadline_of", "due_of", "seconds_of"]

_DAY = 86_400.0
_UNITS = {
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds"), 0.001),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), _DAY),
    **dict.fromkeys(("w", "week", "weeks"), 7 * _DAY),
    **dict.fromkeys(("mo", "month", "months"), 30 * _DAY),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), 365.25 * _DAY),
}
# Longer texts are refused before the pattern sees them.
_MAX_TEXT = 64
_FORM = re.compile(r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*([A-Za-z]*)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# Keeps every due time well inside the 64-bit integers of the worlds.
MAX_SECONDS = 1000 * 365.25 * _DAY
"""The longest duration that is accepted: 1000 years."""

_ACCEPTED = (
    'a number of seconds (10, 0.5), a text such as "500ms", "10s", "5 minutes", "1.5h", "7 days", '
    '"2 weeks", "1 month" (30 days) or "1 year" (365.25 days), or a timedelta; '
    "not negative, at most 1000 years"
)


def seconds_of(value: str | float | timedelta, what: str = "") -> float:
    """Read a duration and return it in seconds.

    `value` is a number of seconds, a text of a number and a unit (`ms` to `years`, upper or lower
    case, space optional; without a unit: seconds), or a timedelta. Raises ValueError for anything
    else, for negative and non-finite numbers and for more than `MAX_SECONDS`; its text begins with
    `what`, the name of the argument.
    """
    seconds: float | None = None
    if isinstance(value, str):
        seconds = _text_seconds(value)
    elif isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif _is_number(value):
        try:
            seconds = float(value)
        except OverflowError:  # an integer beyond all floats
            seconds = math.inf
    if seconds is None or not 0 <= seconds <= MAX_SECONDS:  # NaN fails the comparison too
        shown = repr(value)
        shown = shown if len(shown) <= 80 else shown[:77] + "..."
        raise ValueError(f"{_named(what)}{shown} is not a duration. Accepted: {_ACCEPTED}.")
    return seconds


def due_of(when: str | float | timedelta | datetime, now: int, what: str = "") -> int:
    """Return the time `when` falls due, in microseconds since the epoch, never before `now`.

    `when` is a duration counted from `now` (see `seconds_of`) or a datetime with a time zone; a
    date in the past gives `now`. Raises TypeError for a datetime without a zone and ValueError
    for anything that is not a duration; `what` is as in `seconds_of`.
    """
    if isinstance(when, datetime):
        if when.utcoffset() is None:
            raise TypeError(
                f"{_named(what)}{when.isoformat()} has no time zone, so it names no single moment. "
                "Add one: datetime(..., tzinfo=UTC) or value.replace(tzinfo=ZoneInfo(...))."
            )
        return max(now, (when - _EPOCH) // _MICROSECOND)
    try:
        seconds = seconds_of(when, what)
    except ValueError as error:
        raise ValueError(f"{error} A datetime with a time zone will do as well.") from None
    if isinstance(when, timedelta):
        return now + when // _MICROSECOND  # exact where a float would round
    return now + round(seconds * 1_000_000)


def deadline_of(
    deadline: str | float | timedelta | datetime | None,
    grace: str | float | timedelta | None,
    now: int,
    start_at: int | None,
) -> dict[str, int]:
    """What is recorded of a deadline and its grace, in microseconds; {} when none is given.

    Raises ValueError for a deadline that is over, or not after `start_at`, and for a grace without
    a deadline.
    """
    if deadline is None:
        if grace is not None:
            raise ValueError("grace= is how long a run may clean up after its deadline=; give both")
        return {}
    due = due_of(deadline, now, "deadline=")
    shown = deadline.isoformat() if isinstance(deadline, datetime) else repr(deadline)
    if due <= now:
        raise ValueError(f"the deadline {shown} is over already")
    if start_at is not None and due <= start_at:
        raise ValueError(f"the deadline {shown} is over before the run begins; see delay=")
    if grace is None:
        return {"deadline": due}
    return {"deadline": due, "grace": round(seconds_of(grace, "grace=") * 1_000_000)}


def _named(what: str) -> str:
    return f"{what}: " if what else ""


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _text_seconds(text: str) -> float | None:
    text = text.strip()
    found = _FORM.fullmatch(text) if len(text) <= _MAX_TEXT else None
    if found is None:
        return None
    unit = _UNITS.get(found[2].lower() or "s")
    return None if unit is None else float(found[1]) * unit

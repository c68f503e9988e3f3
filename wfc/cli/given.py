"""What users give to options of several commands: durations, moments, attributes."""

from __future__ import annotations

from datetime import datetime

import click

__all__ = ["attributes", "duration", "moment"]

_FORMS = "write a number and a unit, such as 30s, 10m, 12h, 30d or '2 weeks'"


def duration(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    """Seconds. A number alone is refused: on a command line nobody knows what it counts."""
    if value is None:
        return None
    seconds = _seconds(value)
    if seconds is None:
        raise click.BadParameter(f"{value!r} is not a duration; {_FORMS}")
    return seconds


def moment(_: click.Context, __: click.Parameter, value: str | None) -> float | datetime | None:
    """Seconds from now, or a moment with a time zone as ISO 8601 has it."""
    if value is None or (seconds := _seconds(value)) is not None:
        return None if value is None else seconds
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is not a duration; {_FORMS}. A moment is written as 2030-12-31T18:00+01:00"
        ) from None
    if at.utcoffset() is None:
        raise click.BadParameter(
            f"{value!r} has no time zone; write it behind the time, as in 2030-12-31T18:00+01:00"
        )
    return at


def attributes(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """Names and values of NAME=VALUE."""
    pairs = [text.partition("=") for text in given]
    for name, mark, _value in pairs:
        if not name or not mark:
            raise click.BadParameter("write NAME=VALUE, such as --attribute customer=ada")
    return {name: value for name, _mark, value in pairs}


def _seconds(value: str) -> float | None:
    from workflow.policy.durations import seconds_of

    if value.strip().replace(".", "", 1).isdecimal():
        return None
    try:
        return seconds_of(value)
    except ValueError:
        return None

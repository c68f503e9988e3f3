"""Python values that are written as one tag and a small payload.

A payload is made of what the format has anyway: text, numbers, bytes, tuples and dicts of those.
`write` turns a value into its payload and `read` turns the payload back; on reading, tuples
arrive as lists. Values of these types are equal by content, so equal ones share one entry.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from workflow.codec.refusals import Refused
from workflow.facts import StepMetadata, WorkflowMetadata
from workflow.paths import BodyPath
from workflow.web import FormData, FormFile, Headers, Request, Response

__all__ = ["BY_NAME", "BY_TYPE", "Tag", "read_zone"]


@dataclass(frozen=True)
class Tag:
    """How the values of one type are written and read."""

    name: str
    type: type
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


# -- time zones ------------------------------------------------------------------------------

# zoneinfo looks keys up as files and as resources; nothing but plain names gets that far.
_ZONE_KEY = re.compile(r"[A-Za-z0-9_+-]{1,40}(?:/[A-Za-z0-9_+-]{1,40}){0,3}")
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{6}))?)?(?: (.*))?", re.DOTALL)


def _write_zone(zone: tzinfo | None) -> str | None:
    """An IANA key, or an offset such as `+02:00` with the name behind it if it has one."""
    if zone is None:
        return None
    if type(zone) is ZoneInfo and zone.key is not None:
        return zone.key
    if type(zone) is timezone:
        text = datetime.min.replace(tzinfo=zone).isoformat()[19:]
        given = zone.__getinitargs__()[1:]  # type: ignore[attr-defined]
        return f"{text} {given[0]}" if given else text
    kind = type(zone)
    if kind.__name__ == "TzInfo" and kind.__module__.startswith("pydantic_core"):
        # What pydantic gives datetimes that it read: an offset and nothing more.
        return _write_zone(timezone(zone.utcoffset(None) or timedelta()))
    raise Refused(
        f"a time zone of type {type(zone).__qualname__} cannot be recorded. "
        "Use zoneinfo.ZoneInfo or datetime.timezone."
    )


def read_zone(text: str | None) -> tzinfo | None:
    """The zone with this IANA key or offset. Raises ValueError for anything else."""
    if text is None:
        return None
    found = _OFFSET.fullmatch(text)
    if found is None:
        if not _ZONE_KEY.fullmatch(text):
            raise ValueError("not a time zone")
        return ZoneInfo(text)
    sign, hours, minutes, seconds, micros, name = found.groups()
    offset = timedelta(
        hours=int(hours),
        minutes=int(minutes),
        seconds=int(seconds or 0),
        microseconds=int(micros or 0),
    )
    offset = -offset if sign == "-" else offset
    return timezone(offset) if name is None else timezone(offset, name)


def _write_datetime(value: datetime) -> tuple[Any, ...]:
    naive = value.replace(tzinfo=None, fold=0)
    return (naive.isoformat(), _write_zone(value.tzinfo), value.fold)


def _read_datetime(payload: list[Any]) -> datetime:
    text, zone, fold = payload
    return datetime.fromisoformat(text).replace(tzinfo=read_zone(zone), fold=fold)


def _write_time(value: time) -> tuple[Any, ...]:
    return (value.replace(tzinfo=None, fold=0).isoformat(), _write_zone(value.tzinfo), value.fold)


def _read_time(payload: list[Any]) -> time:
    text, zone, fold = payload
    return time.fromisoformat(text).replace(tzinfo=read_zone(zone), fold=fold)


# -- web values ------------------------------------------------------------------------------


def _write_request(value: Request) -> dict[str, Any]:
    return {
        "method": value.method,
        "url": value.url,
        "headers": value.headers,
        "body": value.content,
        "replyTo": value.reply_to,
    }


def _read_request(payload: dict[str, Any]) -> Request:
    return Request(
        payload["method"],
        payload["url"],
        payload["headers"],
        payload["body"],
        reply_to=payload["replyTo"],
    )


def _write_response(value: Response) -> dict[str, Any]:
    return {"status": value.status, "headers": value.headers, "body": value.content}


def _read_response(payload: dict[str, Any]) -> Response:
    return Response(payload["body"], payload["status"], payload["headers"])


def _read_form_file(payload: list[Any]) -> FormFile:
    filename, content_type, content = payload
    if type(filename) is not str or type(content_type) is not str or type(content) is not bytes:
        raise TypeError("expected a name, a type and bytes")
    return FormFile(filename, content_type, content)


def _field(name: Any, value: Any) -> tuple[str, str | FormFile]:
    if type(name) is not str or not isinstance(value, str | FormFile):
        raise TypeError("expected the name and the value of a field")
    return name, value


# -- what steps and workflows are told about themselves --------------------------------------


def _facts(kind: type) -> Tag:
    """By the names of the fields."""
    names = [each.name for each in fields(kind)]
    return Tag(
        kind.__name__, kind, lambda v: {n: getattr(v, n) for n in names}, lambda p: kind(**p)
    )


# -- the table -------------------------------------------------------------------------------


def _read_text(kind: Callable[[str], Any]) -> Callable[[Any], Any]:
    def read(payload: Any) -> Any:
        if not isinstance(payload, str):
            raise TypeError("expected text")
        return kind(payload)

    return read


_ADDRESSES = (
    ipaddress.IPv4Address,
    ipaddress.IPv4Interface,
    ipaddress.IPv4Network,
    ipaddress.IPv6Address,
    ipaddress.IPv6Interface,
    ipaddress.IPv6Network,
)


def _text_of(kind: type) -> Tag:
    return Tag(kind.__name__, kind, str, _read_text(kind))


def _read_fraction(payload: list[Any]) -> Fraction:
    above, below = payload
    if type(above) is not int or type(below) is not int:
        raise TypeError("expected two integers")
    return Fraction(above, below)


_TABLE = (
    Tag("Decimal", Decimal, str, _read_text(Decimal)),
    Tag("Fraction", Fraction, lambda v: (v.numerator, v.denominator), _read_fraction),
    Tag("UUID", UUID, str, _read_text(UUID)),
    Tag("complex", complex, lambda v: (v.real, v.imag), lambda p: complex(*p)),
    Tag("range", range, lambda v: (v.start, v.stop, v.step), lambda p: range(*p)),
    Tag("date", date, date.isoformat, _read_text(date.fromisoformat)),
    Tag("time", time, _write_time, _read_time),
    Tag("datetime", datetime, _write_datetime, _read_datetime),
    Tag(
        "timedelta",
        timedelta,
        lambda v: (v.days, v.seconds, v.microseconds),
        lambda p: timedelta(*p),
    ),
    Tag("timezone", timezone, _write_zone, read_zone),
    Tag("ZoneInfo", ZoneInfo, _write_zone, read_zone),
    Tag("Path", type(Path()), str, _read_text(Path)),
    Tag("PurePosixPath", PurePosixPath, str, _read_text(PurePosixPath)),
    Tag("PureWindowsPath", PureWindowsPath, str, _read_text(PureWindowsPath)),
    Tag("Pattern", re.Pattern, lambda v: (v.pattern, v.flags), lambda p: re.compile(*p)),
    *(_text_of(kind) for kind in _ADDRESSES),
    Tag("Headers", Headers, lambda v: v.pairs, lambda p: Headers([(k, v) for k, v in p])),
    Tag(
        "FormFile",
        FormFile,
        lambda v: (v.filename, v.content_type, v.content),
        _read_form_file,
    ),
    Tag("FormData", FormData, lambda v: v.pairs, lambda p: FormData([_field(*pair) for pair in p])),
    Tag("Request", Request, _write_request, _read_request),
    Tag("Response", Response, _write_response, _read_response),
    _facts(StepMetadata),
    _facts(WorkflowMetadata),
)

BY_TYPE: dict[type, Tag] = {tag.type: tag for tag in _TABLE}
BY_NAME: dict[str, Tag] = {tag.name: tag for tag in _TABLE}
BY_TYPE[BodyPath] = BY_NAME["Path"]

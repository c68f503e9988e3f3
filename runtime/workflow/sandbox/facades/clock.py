"""`time` and `datetime` on the clock of the run: the time of the event being applied.

The local zone of workflow code is UTC, whatever the machine says. Values are real `datetime`
objects, so they mean the same inside and outside; the class workflow code sees is a twin that
recognises them and reads the run's clock. As an instance leads back to the real class
(`value.now()`), the guards send the methods of `EMULATED_METHODS` here.
"""

from __future__ import annotations

import calendar
import datetime as real
import time as real_time
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from workflow.errors import SandboxError
from workflow.replay.loop import DetLoop, running
from workflow.sandbox.facades.dates import portable
from workflow.sandbox.facades.facade import named_like
from workflow.sandbox.facades.parsing import parse_datetime, parse_time

__all__ = [
    "EMULATED_METHODS",
    "TWINS",
    "Date",
    "DateTime",
    "active",
    "emulated",
    "emulated_above",
    "time_members",
]

UTC = real.timezone.utc  # noqa: UP017 - the facade is built for 3.11 too, where both exist
_EPOCH = real.datetime(1970, 1, 1, tzinfo=UTC)


def active(what: str) -> DetLoop:
    """The loop of the run that is executing; `SandboxError` naming `what` when there is none."""
    loop = running()
    if loop is None:
        raise SandboxError(
            f"{what} has no value while a module is being imported: "
            "module-level clock reads and random numbers are not allowed; "
            "read it inside the workflow function"
        )
    return loop


def _now() -> real.datetime:
    return _EPOCH + real.timedelta(microseconds=active("the current time").now)


# -- datetime --------------------------------------------------------------------------------------


class _Twin(type):
    """Metaclass of the two twins: their instances are the real ones, subclasses behave normally."""

    _real: type

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        make: Any = cls._real if cls in _TWIN_CLASSES else super().__call__
        return make(*args, **kwargs)

    def __instancecheck__(cls, instance: object) -> bool:
        if cls in _TWIN_CLASSES:
            return isinstance(instance, cls._real)
        return super().__instancecheck__(instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        if cls in _TWIN_CLASSES:
            return issubclass(subclass, cls._real)
        return super().__subclasscheck__(subclass)

    def __get_pydantic_core_schema__(cls, source: Any, handler: Callable[[Any], Any]) -> Any:
        """As a field of a model it means the real class, and so do its instances."""
        return handler(cls._real)


class Date(real.date, metaclass=_Twin):
    """`datetime.date` of workflow code."""

    _real = real.date

    @classmethod
    def today(cls) -> Any:
        now = _now()
        return cls(now.year, now.month, now.day)

    @classmethod
    def fromtimestamp(cls, timestamp: float) -> Any:
        moment = real.datetime.fromtimestamp(timestamp, UTC)
        return cls(moment.year, moment.month, moment.day)


class DateTime(real.datetime, metaclass=_Twin):
    """`datetime.datetime` of workflow code."""

    _real = real.datetime

    @classmethod
    def now(cls, tz: real.tzinfo | None = None) -> Any:
        return cls._of(_now(), tz)

    @classmethod
    def today(cls) -> Any:
        return cls._of(_now(), None)

    @classmethod
    def utcnow(cls) -> Any:
        return cls._of(_now(), None)

    @classmethod
    def fromtimestamp(cls, timestamp: float, tz: real.tzinfo | None = None) -> Any:
        return cls._of(real.datetime.fromtimestamp(timestamp, UTC), tz)

    @classmethod
    def utcfromtimestamp(cls, timestamp: float) -> Any:
        return cls._of(real.datetime.fromtimestamp(timestamp, UTC), None)

    @classmethod
    def strptime(cls, date_string: str, format: str) -> Any:
        return parse_datetime(cls, date_string, format)

    @classmethod
    def combine(cls, *args: Any, **kwargs: Any) -> Any:
        # For a class derived from it, Python forgets which of two equal hours is meant.
        if cls in _TWIN_CLASSES:
            return real.datetime.combine(*args, **kwargs)
        return super().combine(*args, **kwargs)

    @classmethod
    def _of(cls, moment: real.datetime, tz: real.tzinfo | None) -> Any:
        moment = moment.replace(tzinfo=None) if tz is None else moment.astimezone(tz)
        made = cls.combine(moment.date(), moment.timetz())
        return made.replace(fold=1) if moment.fold else made


_TWIN_CLASSES = frozenset({Date, DateTime})
named_like(DateTime, "datetime", "datetime")
named_like(Date, "datetime", "date")

TWINS: dict[type, type] = {real.date: Date, real.datetime: DateTime}
"""The class workflow code sees, by the real class it stands for."""

EMULATED_METHODS = frozenset(
    {
        "astimezone",
        "fromtimestamp",
        "now",
        "strptime",
        "timestamp",
        "today",
        "utcfromtimestamp",
        "utcnow",
    }
)


def emulated(value: Any, name: str) -> Callable[..., Any] | None:
    """The emulation of a method of a date, a datetime or their classes; None for the real one."""
    cls: type = value if isinstance(value, type) else type(value)
    if name in _ZONED:
        if not issubclass(cls, real.datetime):
            return None
        if getattr(cls, name) is not getattr(real.datetime, name):
            return None  # one of the workflow's own
        return _ZONED[name] if value is cls else partial(_ZONED[name], value)
    if not _TWIN_CLASSES.isdisjoint(cls.__mro__):
        return None
    return getattr(DateTime if issubclass(cls, real.datetime) else Date, name, None)


def emulated_above(owner: Any, name: str) -> Callable[..., Any] | None:
    """The emulation for `super().name` of `owner`, a date, a datetime or a class of them."""
    cls: type = owner if isinstance(owner, type) else type(owner)
    if name in _ZONED:
        return _ZONED[name] if owner is cls else partial(_ZONED[name], owner)
    twin = DateTime if issubclass(cls, real.datetime) else Date
    method = twin.__dict__.get(name)
    return None if method is None else method.__get__(None, cls)


def _timestamp(moment: real.datetime) -> float:
    return real.datetime.timestamp(_aware(moment))


def _astimezone(moment: real.datetime, tz: real.tzinfo | None = None) -> real.datetime:
    return real.datetime.astimezone(_aware(moment), UTC if tz is None else tz)


_ZONED: dict[str, Callable[..., Any]] = {"astimezone": _astimezone, "timestamp": _timestamp}


def _aware(moment: real.datetime) -> real.datetime:
    # Without a zone of its own a datetime would ask the machine for one.
    if real.datetime.utcoffset(moment) is not None:
        return moment
    return real.datetime.replace(moment, tzinfo=UTC)


# -- time ------------------------------------------------------------------------------------------


def _sleep(seconds: float) -> NoReturn:
    raise SandboxError("time.sleep() would block the worker; write `await sleep(...)`")


def _seconds() -> float:
    return active("the current time").time()


def _nanoseconds() -> int:
    return active("the current time").now * 1000


def _gmtime(seconds: float | None = None) -> real_time.struct_time:
    return real_time.gmtime(_seconds() if seconds is None else seconds)


def _strftime(format: str, t: Any = None) -> str:
    # The two fields behind the nine are for %Z and %z, which would be the machine's otherwise.
    moment = real_time.struct_time((*(_gmtime() if t is None else t)[:9], "UTC", 0))
    return real_time.strftime(portable(format, moment), moment)


def _asctime(t: Any = None) -> str:
    return real_time.asctime(_gmtime() if t is None else t)


def _ctime(seconds: float | None = None) -> str:
    return real_time.asctime(_gmtime(seconds))


def _mktime(t: Any) -> float:
    return float(calendar.timegm(t))


def time_members() -> dict[str, Any]:
    """The members of the `time` facade."""
    return {
        "altzone": 0,
        "asctime": _asctime,
        "ctime": _ctime,
        "daylight": 0,
        "gmtime": _gmtime,
        "localtime": _gmtime,
        "mktime": _mktime,
        "monotonic": _seconds,
        "monotonic_ns": _nanoseconds,
        "perf_counter": _seconds,
        "perf_counter_ns": _nanoseconds,
        "sleep": _sleep,
        "strftime": _strftime,
        "strptime": parse_time,
        "struct_time": real_time.struct_time,
        "time": _seconds,
        "time_ns": _nanoseconds,
        "timezone": 0,
        "tzname": ("UTC", "UTC"),
    }


def datetime_members() -> dict[str, Any]:
    """The members of the `datetime` facade."""
    return {
        "MAXYEAR": real.MAXYEAR,
        "MINYEAR": real.MINYEAR,
        "UTC": UTC,
        "date": Date,
        "datetime": DateTime,
        "time": real.time,
        "timedelta": real.timedelta,
        "timezone": real.timezone,
        "tzinfo": real.tzinfo,
    }

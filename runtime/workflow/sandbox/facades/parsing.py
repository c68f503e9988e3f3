"""`strptime` in the words of the C locale and in the zone of workflow code, which is UTC.

The original takes the names of days, months and zones from the machine: `%Z` would accept `CET` in
one place and not in another.
"""

from __future__ import annotations

import calendar
import time
from functools import cache
from types import SimpleNamespace
from typing import Any

from workflow.sandbox.facades.dates import DAYS, MONTHS, portable
from workflow.sandbox.facades.own_modules import own_copy

__all__ = ["parse_datetime", "parse_time"]


def _strftime(format: str, moment: time.struct_time) -> str:
    return time.strftime(portable(format, moment), moment)


@cache
def _parser() -> Any:
    module = own_copy("_strptime")
    module.time = SimpleNamespace(
        **{**vars(time), "strftime": _strftime, "tzname": ("UTC", "UTC"), "daylight": 0}
    )
    # It is called to find out about the machine's zone, which nobody wants to know.
    module.time.tzset = lambda: None
    module.calendar = SimpleNamespace(
        **{
            **vars(calendar),
            "day_name": DAYS,
            "day_abbr": [day[:3] for day in DAYS],
            "month_name": ["", *MONTHS],
            "month_abbr": ["", *(month[:3] for month in MONTHS)],
        }
    )
    module.locale = SimpleNamespace(LC_TIME=0, getlocale=lambda category: (None, None))
    module._TimeRE_cache = module.TimeRE()
    return module


def parse_datetime(cls: Any, date_string: str, format: str) -> Any:
    """`cls.strptime(date_string, format)` for a class of datetimes."""
    return _parser()._strptime_datetime(cls, date_string, format)


def parse_time(data_string: str, format: str = "%a %b %d %H:%M:%S %Y", /) -> Any:
    """`time.strptime`."""
    return _parser()._strptime_time(data_string, format)

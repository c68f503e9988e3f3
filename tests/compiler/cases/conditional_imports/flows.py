from __future__ import annotations

import sys
import typing
from typing import TYPE_CHECKING

try:
    import orjson as json
except ImportError:
    import json

try:
    import numpy
except ModuleNotFoundError:
    numpy = None

try:
    from local_settings import CURRENCY
except ImportError:
    CURRENCY = "EUR"

if sys.version_info >= (3, 11):
    from datetime import UTC
else:
    from backports.datetime import UTC

if TYPE_CHECKING:
    import pandas
    from models import Order

if typing.TYPE_CHECKING:
    from numpy.typing import NDArray as Array
else:
    Array = list


async def keep(order: Order, text: str) -> None:
    "use step"


async def order(order: Order) -> pandas.Timestamp:
    "use workflow"
    from datetime import datetime

    try:
        import fast_totals as totals
    except ImportError:
        import statistics as totals
    prices = numpy.array(order.prices) if numpy is not None else Array(order.prices)
    total = totals.mean(prices)
    await keep(order, json.dumps([total, CURRENCY]))
    return datetime.now(UTC)

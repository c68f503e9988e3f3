


import typing


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

if True:
    from datetime import UTC
else:
    from backports.datetime import UTC





if typing.TYPE_CHECKING:
    from numpy.typing import NDArray as Array
else:
    Array = list


async def keep(order: Order, text: str) -> None:
    return await _wfc_step("step//flows.py//keep", {"order": order, "text": text})


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
from workflow.abi.flow_v1 import step as _wfc_step

# Made by wfc from flows.py; do not edit.
from __future__ import annotations

from typing import TYPE_CHECKING
from workflow.abi import client_v1 as _wfc

if TYPE_CHECKING:
    import pandas
    from models import Order


@_wfc.workflow("workflow//flows.py//order")
async def order(order: Order) -> pandas.Timestamp:
    ...


_wfc.register_class("class//models.py//Order", "models", "Order")

# Made by wfc from src/shop/orders/flows.py; do not edit.
from __future__ import annotations

from typing import TYPE_CHECKING
from shop.prices import Basket
from workflow.errors import DirectCallError

if TYPE_CHECKING:
    from shop.models import Order


async def fulfil(order: Order, basket: Basket = Basket.SMALL) -> str:
    """Ship an order."""
    raise DirectCallError("fulfil is a workflow; calling it directly would neither record nor resume it. Use `await start(function, ...)` from workflow.api")


fulfil.workflow_id = "workflow//src/shop/orders/flows.py//fulfil"  # type: ignore[attr-defined]

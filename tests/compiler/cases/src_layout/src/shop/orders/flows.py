from __future__ import annotations

from typing import TYPE_CHECKING

from ..prices import Basket, with_tax

if TYPE_CHECKING:
    from ..models import Order


async def ship(order: Order) -> str:
    "use step"
    return order.id


async def fulfil(order: Order, basket: Basket = Basket.SMALL) -> str:
    """Ship an order."""
    "use workflow"
    if with_tax(order.cents) > basket.value:
        return "too expensive"
    return await ship(order)

# Made by wfc from src/shop/orders/flows.py; do not edit.
from __future__ import annotations

from typing import TYPE_CHECKING
from workflow.abi import client_v1 as _wfc

if TYPE_CHECKING:
    from shop.prices import Basket
    from shop.models import Order


@_wfc.workflow("workflow//src/shop/orders/flows.py//fulfil")
async def fulfil(order: Order, basket: Basket = ...) -> str:
    """Ship an order."""
    ...


_wfc.register_class("class//src/shop/models.py//Order", "shop.models", "Order")
_wfc.register_class("class//src/shop/prices.py//Basket", "shop.prices", "Basket")

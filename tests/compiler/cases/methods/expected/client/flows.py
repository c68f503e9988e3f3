# Made by wfc from flows.py; do not edit.
from __future__ import annotations

from workflow.abi import client_v1 as _wfc


class Shop:
    @classmethod
    @_wfc.workflow("workflow//flows.py//Shop.order")
    async def order(cls, user: str, *items: str) -> str:
        """A workflow may be a class method."""
        ...


_wfc.register_class("class//models.py//Cart", "models", "Cart")
_wfc.register_class("class//models.py//Money", "models", "Money")
_wfc.register_class("class//models.py//User", "models", "User")

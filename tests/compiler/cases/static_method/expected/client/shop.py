# Made by wfc from shop.py; do not edit.
from __future__ import annotations

from workflow.abi import client_v1 as _wfc


class Billing:
    @staticmethod
    @_wfc.workflow("workflow//shop.py//Billing.settle")
    async def settle(cents: int, *, tip: int = 0) -> str:
        """Charge the amount with the tip."""
        ...

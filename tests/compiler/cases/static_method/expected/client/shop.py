# Made by wfc from shop.py; do not edit.
from __future__ import annotations

from workflow.errors import DirectCallError


class Billing:
    @staticmethod
    async def settle(cents: int, *, tip: int = 0) -> str:
        """Charge the amount with the tip."""
        raise DirectCallError("Billing.settle is a workflow; calling it directly would neither record nor resume it. Use `await start(function, ...)` from workflow.api")


Billing.settle.workflow_id = "workflow//shop.py//Billing.settle"  # type: ignore[attr-defined]

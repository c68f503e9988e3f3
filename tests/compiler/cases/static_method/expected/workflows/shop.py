class Billing:
    """Steps and workflows that share a name space."""

    CURRENCY = "EUR"

    @staticmethod
    async def charge(cents: int) -> str:
        return await _wfc_step("step//shop.py//Billing.charge", {"cents": cents})


    @staticmethod
    async def settle(cents: int, *, tip: int = 0) -> str:
        """Charge the amount with the tip."""
        "use workflow"
        return await Billing.charge(cents + tip) + Billing.CURRENCY
from workflow.abi.flow_v1 import step as _wfc_step

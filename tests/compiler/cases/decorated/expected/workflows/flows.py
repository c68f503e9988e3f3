


from tracing import counted











async def charge(cents: int) -> int:
    """Charge."""
    return await _wfc_step("step//flows.py//charge", {"cents": cents})




async def rate(currency: str) -> int:
    return await _wfc_step("step//flows.py//rate", {"currency": currency})



class Shop:

    @staticmethod
    async def refund(cents: int) -> int:
        return await _wfc_step("step//flows.py//Shop.refund", {"cents": cents})



@counted
async def order(cents: int) -> int:
    "use workflow"
    return await charge(cents) + await rate("EUR") + await Shop.refund(cents)
from workflow.abi.flow_v1 import step as _wfc_step

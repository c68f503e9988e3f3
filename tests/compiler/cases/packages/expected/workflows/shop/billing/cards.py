




async def charge(cents: int) -> int:
    return await _wfc_step("step//shop/billing/cards.py//charge", {"cents": cents})



async def refund(cents: int) -> int:
    return await _wfc_step("step//shop/billing/cards.py//refund", {"cents": cents})

from workflow.abi.flow_v1 import step as _wfc_step






async def charge(item: str) -> str:
    """The same name as in another file."""
    return await _wfc_step("step//shop/stock.py//charge", {"item": item})

from workflow.abi.flow_v1 import step as _wfc_step

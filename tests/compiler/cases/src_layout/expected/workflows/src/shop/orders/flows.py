



from ..prices import Basket, with_tax





async def ship(order: Order) -> str:
    return await _wfc_step("step//src/shop/orders/flows.py//ship", {"order": order})



async def fulfil(order: Order, basket: Basket = Basket.SMALL) -> str:
    """Ship an order."""
    "use workflow"
    if with_tax(order.cents) > basket.value:
        return "too expensive"
    return await ship(order)
from workflow.abi.flow_v1 import step as _wfc_step

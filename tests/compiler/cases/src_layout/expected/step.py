# Made by wfc from src/shop/orders/flows.py; do not edit.
from workflow.abi.step_v1 import Registry, step_app

import shop.models
import shop.orders.flows
import shop.prices

registry = Registry(__file__)
registry.step("step//src/shop/orders/flows.py//ship", shop.orders.flows.ship)
registry.workflow("workflow//src/shop/orders/flows.py//fulfil", shop.orders.flows.fulfil)
registry.cls("class//src/shop/models.py//Order", shop.models.Order)
registry.cls("class//src/shop/prices.py//Basket", shop.prices.Basket)

app = step_app(registry)

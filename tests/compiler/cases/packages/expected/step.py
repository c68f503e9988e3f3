# Made by wfc from 3 files; do not edit.
from workflow.abi.step_v1 import Registry, step_app

import flows
import shop.billing.cards
import shop.stock

registry = Registry(__file__)
registry.step("step//shop/billing/cards.py//charge", shop.billing.cards.charge)
registry.step("step//shop/billing/cards.py//refund", shop.billing.cards.refund)
registry.step("step//shop/stock.py//charge", shop.stock.charge)
registry.workflow("workflow//flows.py//order", flows.order)

app = step_app(registry)

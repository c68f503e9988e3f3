# Made by wfc from flows.py; do not edit.
from workflow.abi.step_v1 import Registry, step_app

import flows

registry = Registry(__file__)
registry.step("step//flows.py//Shop.refund", flows.Shop.refund)
registry.step("step//flows.py//charge", flows.charge)
registry.step("step//flows.py//rate", flows.rate)
registry.workflow("workflow//flows.py//order", flows.order)
registry.cls("class//flows.py//Shop", flows.Shop)

app = step_app(registry)

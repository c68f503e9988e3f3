# Made by wfc from shop.py; do not edit.
from workflow.abi.step_v1 import Registry, step_app

import shop

registry = Registry(__file__)
registry.step("step//shop.py//Billing.charge", shop.Billing.charge)
registry.workflow("workflow//shop.py//Billing.settle", shop.Billing.settle)
registry.cls("class//shop.py//Billing", shop.Billing)

app = step_app(registry)

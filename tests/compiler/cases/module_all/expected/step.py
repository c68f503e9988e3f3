# Made by wfc from 2 files; do not edit.
from workflow.abi.step_v1 import Registry, step_app

import flows
import steps

registry = Registry(__file__)
registry.step("step//steps.py//_audit", steps._audit)
registry.step("step//steps.py//charge", steps.charge)
registry.step("step//steps.py//refund", steps.refund)
registry.workflow("workflow//flows.py//order", flows.order)

app = step_app(registry)

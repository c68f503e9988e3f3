# Made by wfc from flows.py; do not edit.
from workflow.abi.step_v1 import Registry, step_app

import flows
import models

registry = Registry(__file__)
registry.step("step//flows.py//keep", flows.keep)
registry.workflow("workflow//flows.py//order", flows.order)
registry.cls("class//models.py//Order", models.Order)

app = step_app(registry)

# Made by wfc from flows.py; do not edit.
from workflow.abi.step_v1 import Registry, step_app

import flows

registry = Registry(__file__)
registry.step("step//flows.py//note", flows.note)
registry.workflow("workflow//flows.py//approve", flows.approve)
registry.cls("class//flows.py//Decision", flows.Decision)

app = step_app(registry)

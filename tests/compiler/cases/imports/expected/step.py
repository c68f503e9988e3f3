# Made by wfc from flows.py; do not edit.
from workflow.abi.step_v1 import Registry, step_app

import flows

registry = Registry(__file__)
registry.step("step//flows.py//st", flows.st)
registry.step("step//flows.py//st2", flows.st2)
registry.workflow("workflow//flows.py//w", flows.w)
registry.cls("class//flows.py//A", flows.A)

app = step_app(registry)

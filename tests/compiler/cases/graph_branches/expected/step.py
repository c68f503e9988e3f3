# Made by wfc from flows.py; do not edit.
from workflow.abi.step_v1 import Registry, step_app

import flows

registry = Registry(__file__)
registry.step("step//flows.py//charge", flows.charge)
registry.step("step//flows.py//refund", flows.refund)
registry.step("step//flows.py//release", flows.release)
registry.step("step//flows.py//ship", flows.ship)
registry.step("step//flows.py//stock", flows.stock)
registry.workflow("workflow//flows.py//branches", flows.branches)
registry.workflow("workflow//flows.py//errors", flows.errors)
registry.workflow("workflow//flows.py//loops", flows.loops)

app = step_app(registry)

# Made by wfc from flows.py; do not edit.
from workflow.abi.step_v1 import Registry, step_app

import flows

registry = Registry(__file__)
registry.step("step//flows.py//after", flows.after)
registry.step("step//flows.py//blanks", flows.blanks)
registry.step("step//flows.py//first", flows.first)
registry.step("step//flows.py//formatted", flows.formatted)
registry.step("step//flows.py//one_line", flows.one_line)
registry.workflow("workflow//flows.py//sign_up", flows.sign_up)

app = step_app(registry)

# Made by wfc from flows.py; do not edit.
from workflow.abi.step_v1 import Registry, step_app

import flows

registry = Registry(__file__)
registry.step("step//flows.py//one_line", flows.one_line)
registry.step("step//flows.py//only_a_docstring", flows.only_a_docstring)
registry.workflow("workflow//flows.py//main", flows.main)

app = step_app(registry)

# Made by wfc from 2 files; do not edit.
from workflow.abi.step_v1 import Registry, step_app

import flows
import tools

registry = Registry(__file__)
registry.step("step//flows.py//Mail.send", flows.Mail.send)
registry.step("step//flows.py//charge", flows.charge)
registry.step("step//flows.py//refund", flows.refund)
registry.step("step//tools.py//search", tools.search)
registry.step("step//tools.py//weather", tools.weather)
registry.workflow("workflow//flows.py//main", flows.main)
registry.cls("class//flows.py//Mail", flows.Mail)
registry.cls("class//tools.py//Agent", tools.Agent)

app = step_app(registry)

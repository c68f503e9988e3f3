# Made by wfc from flows.py; do not edit.
from workflow.abi.step_v1 import Registry, step_app

import flows

registry = Registry(__file__)
registry.nested("step//flows.py//Report#send/mail", flows, "Report.send.<locals>.mail")
registry.nested("step//flows.py//make_greeter/greet", flows, "make_greeter.<locals>.greet", max_retries=0)
registry.nested("step//flows.py//onboard/measure", flows, "onboard.<locals>.measure")
registry.nested("step//flows.py//onboard/notify", flows, "onboard.<locals>.notify", max_retries=5, timeout='30s')
registry.workflow("workflow//flows.py//onboard", flows.onboard)
registry.cls("class//flows.py//Report", flows.Report)

app = step_app(registry)

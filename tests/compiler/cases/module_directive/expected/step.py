# Made by wfc from 2 files; do not edit.
from workflow.abi.step_v1 import Registry, step_app

import flows
import steps

registry = Registry(__file__)
registry.step("step//steps.py//download", steps.download)
registry.step("step//steps.py//shorten", steps.shorten)
registry.workflow("workflow//flows.py//preview", flows.preview)

app = step_app(registry)

# Made by wfc from flows.py; do not edit.
from workflow.abi.step_v1 import Registry, step_app

import flows

registry = Registry(__file__)
registry.step("step//flows.py//Classifier#classify", flows.Classifier.classify)
registry.nested("step//flows.py//pipeline/keep", flows, "pipeline.<locals>.keep")
registry.workflow("workflow//flows.py//pipeline", flows.pipeline)
registry.cls("class//flows.py//Classifier", flows.Classifier)

app = step_app(registry)

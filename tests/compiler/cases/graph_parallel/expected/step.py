# Made by wfc from flows.py; do not edit.
from workflow.abi.step_v1 import Registry, step_app

import flows

registry = Registry(__file__)
registry.step("step//flows.py//fetch_page", flows.fetch_page)
registry.step("step//flows.py//index", flows.index)
registry.step("step//flows.py//notify", flows.notify)
registry.workflow("workflow//flows.py//crawl", flows.crawl)
registry.workflow("workflow//flows.py//groups", flows.groups)
registry.workflow("workflow//flows.py//races", flows.races)

app = step_app(registry)

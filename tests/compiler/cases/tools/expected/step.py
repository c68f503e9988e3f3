# Made by wfc from agent.py; do not edit.
from workflow.abi.step_v1 import Registry, step_app

import agent

registry = Registry(__file__)
registry.step("step//agent.py//add", agent.add)
registry.step("step//agent.py//get_weather", agent.get_weather)
registry.step("step//agent.py//launch", agent.launch)
registry.step("step//agent.py//retry", agent.retry)
registry.step("step//agent.py//unused", agent.unused)
registry.workflow("workflow//agent.py//agent", agent.agent)
registry.workflow("workflow//agent.py//child", agent.child)
registry.cls("class//agent.py//Tool", agent.Tool)

app = step_app(registry)

# Made by wfc from examples/signup/flows.py; do not edit.
from workflow.abi.step_v1 import Registry, step_app

import examples.signup.flows
import examples.signup.models

registry = Registry(__file__)
registry.step("step//examples/signup/flows.py//ask_to_confirm", examples.signup.flows.ask_to_confirm)
registry.step("step//examples/signup/flows.py//choose_plan", examples.signup.flows.choose_plan)
registry.step("step//examples/signup/flows.py//create_user", examples.signup.flows.create_user)
registry.step("step//examples/signup/flows.py//reserve_storage", examples.signup.flows.reserve_storage)
registry.step("step//examples/signup/flows.py//send_welcome", examples.signup.flows.send_welcome)
registry.workflow("workflow//examples/signup/flows.py//user_signup", examples.signup.flows.user_signup)
registry.cls("class//examples/signup/models.py//Approval", examples.signup.models.Approval)
registry.cls("class//examples/signup/models.py//User", examples.signup.models.User)

app = step_app(registry)

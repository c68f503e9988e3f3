# Made by wfc from flows.py; do not edit.
from workflow.abi.step_v1 import Registry, step_app

import flows
import models

registry = Registry(__file__)
registry.step("step//flows.py//create_user", flows.create_user)
registry.step("step//flows.py//send_mail", flows.send_mail)
registry.workflow("workflow//flows.py//user_signup", flows.user_signup)
registry.cls("class//models.py//User", models.User)

app = step_app(registry)

# Made by wfc from 2 files; do not edit.
from workflow.abi.step_v1 import Registry, step_app

import flows
import models

registry = Registry(__file__)
registry.step("step//models.py//Cart#add", models.Cart.add)
registry.step("step//models.py//Cart.load", models.Cart.load)
registry.step("step//models.py//Cart.price", models.Cart.price)
registry.step("step//models.py//Money#charge", models.Money.charge)
registry.step("step//models.py//Unused#ping", models.Unused.ping)
registry.step("step//models.py//User#greet", models.User.greet)
registry.workflow("workflow//flows.py//Shop.order", flows.Shop.order)
registry.cls("class//flows.py//Shop", flows.Shop)
registry.cls("class//models.py//Cart", models.Cart)
registry.cls("class//models.py//Money", models.Money)
registry.cls("class//models.py//Unused", models.Unused)
registry.cls("class//models.py//User", models.User)

app = step_app(registry)

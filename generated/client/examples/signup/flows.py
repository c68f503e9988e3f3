# Made by wfc from examples/signup/flows.py; do not edit.
from __future__ import annotations

from workflow.abi import client_v1 as _wfc


@_wfc.workflow("workflow//examples/signup/flows.py//user_signup")
async def user_signup(email: str) -> dict[str, str | int]:
    """Onboard one user: account, welcome, plan and storage, approval, confirmation."""
    ...


_wfc.register_class("class//examples/signup/models.py//Approval", "examples.signup.models", "Approval")

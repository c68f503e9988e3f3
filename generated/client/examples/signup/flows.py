# Made by wfc from examples/signup/flows.py; do not edit.
from __future__ import annotations

from workflow.errors import DirectCallError


async def user_signup(email: str) -> dict[str, str | int]:
    """Onboard one user: account, welcome, plan and storage, approval, confirmation."""
    raise DirectCallError("user_signup is a workflow; calling it directly would neither record nor resume it. Use `await start(function, ...)` from workflow.api")


user_signup.workflow_id = "workflow//examples/signup/flows.py//user_signup"  # type: ignore[attr-defined]

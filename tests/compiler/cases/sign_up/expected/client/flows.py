# Made by wfc from flows.py; do not edit.
from __future__ import annotations

from workflow.errors import DirectCallError


async def user_signup(email: str, wait: float = 2.5) -> dict:
    """Onboard one user."""
    raise DirectCallError("user_signup is a workflow; calling it directly would neither record nor resume it. Use `await start(function, ...)` from workflow.api")


user_signup.workflow_id = "workflow//flows.py//user_signup"  # type: ignore[attr-defined]

# Made by wfc from examples/signup/flows.py; do not edit.

async def user_signup(email: str) -> dict[str, str | int]:
    """Onboard one user: account, welcome, plan and storage, approval, confirmation."""
    ...

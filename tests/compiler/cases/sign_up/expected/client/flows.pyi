# Made by wfc from flows.py; do not edit.

async def user_signup(email: str, wait: float = 2.5) -> dict:
    """Onboard one user."""
    ...

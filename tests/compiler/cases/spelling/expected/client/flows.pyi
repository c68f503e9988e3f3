# Made by wfc from flows.py; do not edit.

async def sign_up(email: str) -> str:
    """Onboard one user.

    In several lines.
    """
    ...

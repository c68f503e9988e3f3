


async def first(email: str) -> str:
    return await _wfc_step("step//flows.py//first", {"email": email})



async def after(email: str) -> str:
    """Second, after a docstring."""
    return await _wfc_step("step//flows.py//after", {"email": email})



async def blanks(email: str) -> str:
    return await _wfc_step("step//flows.py//blanks", {"email": email})



async def formatted(email: str) -> str:
    return await _wfc_step("step//flows.py//formatted", {"email": email})



async def one_line(email: str) -> str: return await _wfc_step("step//flows.py//one_line", {"email": email})


async def sign_up(email: str) -> str:
    """Onboard one user.

    In several lines.
    """

    # Said here.
    """Use workflow"""
    for step in (first, after, blanks, formatted, one_line):
        email = await step(email)
    return email
from workflow.abi.flow_v1 import step as _wfc_step




from typing import overload







@overload
def charge(cents: int) -> int: ...
@overload
def charge(cents: str) -> str: ...
async def charge(cents):
    return await _wfc_step("step//steps.py//charge", {"cents": cents})


async def refund(cents: int) -> int:
    return await _wfc_step("step//steps.py//refund", {"cents": cents})


async def _audit(line: str) -> None:
    return await _wfc_step("step//steps.py//_audit", {"line": line})


def vat(cents: int) -> int:
    """Not listed, so an ordinary function."""
    return cents // 5
from workflow.abi.flow_v1 import step as _wfc_step

# Made by wfc from flows.py; do not edit.
from dataclasses import dataclass

@dataclass(frozen=True)
class Decision:
    """What somebody decides."""
    approved: bool
    comment: str = ""

async def approve(name: str, days: int) -> bool:
    """Wait in every way."""
    ...

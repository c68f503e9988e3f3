# Made by wfc from flows.py; do not edit.
from __future__ import annotations

from workflow.abi import client_v1 as _wfc


@_wfc.workflow("workflow//flows.py//branches")
async def branches(order: str, total: int, vip: bool = False) -> str:
    """Every way to branch."""
    ...


@_wfc.workflow("workflow//flows.py//loops")
async def loops(items: list[str], tries: int = 3) -> list[str]:
    """Loops in loops, with every way out."""
    ...


@_wfc.workflow("workflow//flows.py//errors")
async def errors(order: str) -> str:
    """A try in a loop, which jumps pass on their way out."""
    ...

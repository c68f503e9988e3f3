# Made by wfc from flows.py; do not edit.
from __future__ import annotations

from dataclasses import dataclass
from workflow.abi import client_v1 as _wfc


@dataclass(frozen=True)
class Decision:
    """What somebody decides."""
    approved: bool
    comment: str = ""


@_wfc.workflow("workflow//flows.py//approve")
async def approve(name: str, days: int) -> bool:
    """Wait in every way."""
    ...


_wfc.register_class("class//flows.py//Decision", __name__, "Decision")

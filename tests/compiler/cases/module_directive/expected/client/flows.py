# Made by wfc from flows.py; do not edit.
from __future__ import annotations

from workflow.abi import client_v1 as _wfc


@_wfc.workflow("workflow//flows.py//preview")
async def preview(url: str) -> bytes:
    ...

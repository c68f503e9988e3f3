# Made by wfc from flows.py; do not edit.
from __future__ import annotations

from workflow.errors import DirectCallError


async def main(x: int) -> int:
    '''Use
    all of them.'''
    raise DirectCallError("main is a workflow; calling it directly would neither record nor resume it. Use `await start(function, ...)` from workflow.api")


main.workflow_id = "workflow//flows.py//main"  # type: ignore[attr-defined]

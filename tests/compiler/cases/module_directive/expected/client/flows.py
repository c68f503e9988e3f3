# Made by wfc from flows.py; do not edit.
from __future__ import annotations

from workflow.errors import DirectCallError


async def preview(url: str) -> bytes:
    raise DirectCallError("preview is a workflow; calling it directly would neither record nor resume it. Use `await start(function, ...)` from workflow.api")


preview.workflow_id = "workflow//flows.py//preview"  # type: ignore[attr-defined]

# Made by wfc from flows.py; do not edit.
from __future__ import annotations

import pkg.sub.deep
import typing as t
from workflow.errors import DirectCallError

if t.TYPE_CHECKING:
    from x import Y


async def w(y: "Y", *, n=pkg.sub.deep.N) -> "Y":
    raise DirectCallError("w is a workflow; calling it directly would neither record nor resume it. Use `await start(function, ...)` from workflow.api")


w.workflow_id = "workflow//flows.py//w"  # type: ignore[attr-defined]

"""What a parked run says of the code it is under. Pure: texts for people."""

from __future__ import annotations

from collections.abc import Collection

from workflow.engine.cold import PYTHON
from workflow.errors import SerializationError
from workflow.world.records import RunRecord

__all__ = ["code_of", "unreadable"]


def code_of(run: RunRecord, ours: str, packages: Collection[str]) -> str:
    """Which code and which Python disagree with the log.

    `ours` is this worker's bundle, `packages` are those that workflow code imports as installed.
    """
    pinned = run.bundle or ours
    code = f"bundle of the run {pinned[:12]}, of this worker {ours[:12]}"
    if run.python not in (None, PYTHON):
        code += f"; begun under Python {run.python}, replayed under {PYTHON}"
    if packages:
        code += f"; passthrough packages are as installed here: {', '.join(sorted(packages))}"
    return code


def unreadable(error: SerializationError, run: RunRecord, ours: str) -> str:
    """Why a value cannot be read, and what helps. The classes of a pinned run cannot be changed."""
    if not error.advice or run.bundle in (None, ours):
        return str(error)
    return (
        f"{error.fact}. The run stays on the code it was begun with, and so on its classes. Let it "
        f"go on with the code of this build, if its log fits: `wfc resume {run.run_id} --new-code`"
        "; or deploy steps that return what its code knows"
    )

"""Named points where a test can have this process killed.

`WORKFLOW_FAILPOINT=after_commit` kills the process with SIGKILL when it first reaches that point,
`after_commit:3` at the third time. Compiled in always: a crash test is worth more when it runs the
very code that ships. Unset, a point costs one comparison.
"""

from __future__ import annotations

import os
import signal

__all__ = ["NAMES", "reach"]

NAMES = (
    "before_step_body",
    "after_step_body",
    "after_commit",
    "during_sleep",
    "waiting_for_hook",
)

_armed, _, _nth = os.environ.get("WORKFLOW_FAILPOINT", "").partition(":")
_left = int(_nth) if _nth.isdigit() else 1
if _armed and _armed not in NAMES:
    raise ValueError(f"WORKFLOW_FAILPOINT is {_armed!r}; known points: {', '.join(NAMES)}")


def reach(name: str) -> None:
    """Die here if this is the armed point and its count has come."""
    global _left
    if name == _armed:
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

"""Which frames are the user's: for tracebacks and for the line behind a decision."""

from __future__ import annotations

import asyncio
import sys
from pathlib import PurePath

__all__ = ["outer_frames_off", "user_line"]

_OURS = str(PurePath(__file__).parents[1])
_ASYNCIO = str(PurePath(asyncio.__file__).parent)


def user_line(*, skip_stub: bool) -> str:
    """`path:line` of the innermost frame above the caller that is neither ours nor asyncio's.

    A step call passes through the step's stub in the bundle, whose frame is the step's
    definition; with `skip_stub` the caller behind it is taken, which is what the reader looks for.
    """
    frame = sys._getframe(1)
    found = ""
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith((_OURS, _ASYNCIO, "<frozen")):
            found = f"{name}:{frame.f_lineno}"
            if not skip_stub:
                return found
            skip_stub = False
        elif found:
            return found
        frame = frame.f_back  # type: ignore[assignment]  # None at the bottom ends the loop
    return found


def outer_frames_off(error: BaseException) -> None:
    """Let the traceback of an error begin at the user's own frames, if it has any."""
    entry = error.__traceback__
    while entry is not None and entry.tb_frame.f_code.co_filename.startswith((_OURS, _ASYNCIO)):
        entry = entry.tb_next
    if entry is not None:
        error.__traceback__ = entry

"""How deep a body may recurse: as deep in every process, whatever calls it there.

Python counts the calls from the bottom of the stack, and a body that is replayed has others below
it than one that goes on live. So a body's functions that may call themselves are counted from where
its turn begins. The limit of the interpreter is left alone: it is that of all threads.
"""

from __future__ import annotations

import sys
from types import CodeType, FrameType

from workflow.replay import sampling
from workflow.replay.loop import running

__all__ = ["FRAMES", "check"]

FRAMES = 500
"""The calls a body may be deep in, the event loop's own included. Below Python's limit of 1,000, so
that servers and test runners may have several hundred below them."""


# From here on every call is looked at: the calls left out do not lead beyond the limit, as long as
# each has no more than a dozen others between it and the next.
_NEAR = 300


def check() -> None:
    """Called by functions of a body that may call themselves, as often as `sampling` says. Raises
    RecursionError when it is too deep in calls."""
    loop = running()
    if loop is None:
        sampling.later()
        return  # type definitions, which are executed outside of any turn
    if loop.below is None:
        loop.below = _frames_below(sys._getframe(), loop.BOTTOM)
    try:
        sys._getframe(loop.below + _NEAR)
    except ValueError:
        sampling.later()
        return
    sampling.at_once()
    try:
        sys._getframe(loop.below + FRAMES)
    except ValueError:
        return
    raise RecursionError("maximum recursion depth exceeded in the workflow")


def _frames_below(frame: FrameType | None, bottom: CodeType) -> int:
    """How many calls a turn stands on, which the function with the code `bottom` began."""
    while frame is not None and frame.f_code is not bottom:
        frame = frame.f_back
    below = 0
    while frame is not None:
        below += 1
        frame = frame.f_back
    return below

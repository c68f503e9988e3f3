"""When a stream still takes chunks, and what a reader is told of its end.

A run's end closes its streams. One kind outlives a run that has completed: streams with a writer of
their own, which may be the run's very result. They end when their writer closes them, or when a
reader finds that it is gone.
"""

from __future__ import annotations

from workflow.world.port import ENDED, OWN_STREAM

__all__ = ["is_closed", "takes_chunks"]


def takes_chunks(name: str, status: str, *, exists: bool, closed: bool) -> bool:
    """Whether a run in `status` lets anybody write to the stream `name`."""
    if closed:
        return False
    if status not in ENDED:
        return True
    return status == "completed" and exists and name.startswith(OWN_STREAM)


def is_closed(name: str, status: str, *, exists: bool, closed: bool) -> tuple[bool, bool]:
    """Whether the stream reads as closed, and whether only the end of the run closed it."""
    done = not takes_chunks(name, status, exists=exists, closed=closed)
    return done, done and not closed

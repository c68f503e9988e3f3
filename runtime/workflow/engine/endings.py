"""Tells waiters in this process at once that a run has ended here.

Everybody who waits for a result could read the run after each commit of anybody; with many waiters
that is most of the work of a busy process. The ends that happen elsewhere are found by reading, and
only those need it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["tell", "watch"]

_waiting: defaultdict[str, set[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = defaultdict(set)


@contextmanager
def watch(run_id: str) -> Iterator[asyncio.Event]:
    """An event that is set when a worker of this process ends the run."""
    entry = (asyncio.get_running_loop(), asyncio.Event())
    _waiting[run_id].add(entry)
    try:
        yield entry[1]
    finally:
        _waiting[run_id].discard(entry)
        if not _waiting[run_id]:
            del _waiting[run_id]


def tell(run_id: str) -> None:
    """The end of the run is in its log."""
    for loop, event in tuple(_waiting.get(run_id, ())):
        loop.call_soon_threadsafe(event.set)

"""Tells waiters in this process at once that a run has ended here.

Everybody who waits for a result could read the run after each commit of anybody; with many waiters
that is most of the work of a busy process. The ends that happen elsewhere are found by reading, and
only those need it: while a worker of this process has the run, its waiters are told when it ends or
leaves.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from workflow.authoring import news

__all__ = ["at_work", "is_here", "tell", "watch"]

_waiting: defaultdict[str, set[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = defaultdict(set)

_here: Counter[str] = Counter()
_lock = threading.Lock()


@contextmanager
def at_work(run_id: str) -> Iterator[None]:
    """A worker of this process has the run."""
    with _lock:
        _here[run_id] += 1
    try:
        yield
    finally:
        with _lock:
            _here[run_id] -= 1
            if not _here[run_id]:
                del _here[run_id]
        tell(run_id)


def is_here(run_id: str) -> bool:
    """Whether a worker of this process has the run."""
    return run_id in _here


@contextmanager
def watch(run_id: str) -> Iterator[asyncio.Event]:
    """An event that is set when a worker of this process ends the run or gives it up."""
    entry = (asyncio.get_running_loop(), asyncio.Event())
    with _lock:
        _waiting[run_id].add(entry)
    try:
        yield entry[1]
    finally:
        with _lock:
            _waiting[run_id].discard(entry)
            if not _waiting[run_id]:
                del _waiting[run_id]


def tell(run_id: str) -> None:
    """The end of the run is in its log, or somebody else may write it."""
    news.tell(run_id)  # its end closes its streams
    with _lock:
        waiting = tuple(_waiting.get(run_id, ()))
    for loop, event in waiting:
        with suppress(RuntimeError):  # whoever waited was dropped with its loop
            loop.call_soon_threadsafe(event.set)

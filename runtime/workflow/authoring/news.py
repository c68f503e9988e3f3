"""When a reader looks at its stream again: at once when told, rarely while others keep committing.

A change in the world may be of any run. If every reader looked after every commit, a thousand
readers of silent streams would leave a busy process no time for its work. So a reader that has
found nothing pauses, longer each time, and the longest pause grows with the readers of the process.
Writers in the same process end the pauses of those who read what they write.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TypeAlias

from workflow.waiting import is_set_within

__all__ = ["Watch", "tell", "watch"]

EACH = 0.004  # seconds that every reader of this process adds to the longest pause
LONGEST = 2.0  # seconds
_DOUBLINGS = 4  # until a pause is the longest

_Entry: TypeAlias = "tuple[asyncio.AbstractEventLoop, asyncio.Event]"

_readers: dict[tuple[str, str], set[_Entry]] = {}
_number = 0
_lock = threading.Lock()


class Watch:
    """The pauses of one reader. Made by `watch`."""

    def __init__(self, told: asyncio.Event) -> None:
        self._told = told
        self._looks = 0  # since there was something to read

    def looks(self) -> None:
        """What was told before is in what is read now."""
        self._told.clear()

    def found(self) -> None:
        """There was something to read, and soon there may be more."""
        self._looks = 0

    async def rest(self) -> None:
        """There was nothing to read."""
        longest = min(EACH * _number, LONGEST)
        self._looks = min(self._looks + 1, _DOUBLINGS)
        await is_set_within(self._told, longest * 2 ** (self._looks - _DOUBLINGS))


@contextmanager
def watch(run_id: str, name: str) -> Iterator[Watch]:
    """Read the stream `name` of a run inside."""
    global _number
    entry = (asyncio.get_running_loop(), asyncio.Event())
    keys = ((run_id, name), (run_id, ""))
    with _lock:
        _number += 1
        for key in keys:
            _readers.setdefault(key, set()).add(entry)
    try:
        yield Watch(entry[1])
    finally:
        with _lock:
            _number -= 1
            for key in keys:
                _readers[key].discard(entry)
                if not _readers[key]:
                    del _readers[key]


def tell(run_id: str, name: str = "") -> None:
    """There is news of a stream, or of all of a run. Callable from any thread."""
    with _lock:
        entries = tuple(_readers.get((run_id, name), ()))
    for loop, told in entries:
        with suppress(RuntimeError):  # the loop was closed over its reader
            loop.call_soon_threadsafe(told.set)

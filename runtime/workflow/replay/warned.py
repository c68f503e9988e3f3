"""Warnings stay warnings while workflow code runs, however the process was started.

A process started with `-W error`, a test suite that asks for it, or an application that calls
`warnings.simplefilter("error")` would raise them in the body, and the next worker would not. What a
body does must not depend on it: for as long as it runs, such a filter shows the warning instead.

The filters belong to the whole process, so they are exchanged in place, and put back by the last
one who needs it; a thread that warns in between sees its warning shown.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["as_warnings", "begin", "end"]


class _Exchange:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users = 0
        self.made: list[tuple[list[Any], Any, Any]] = []  # filters, the original, what shows


_exchange = _Exchange()


def begin() -> bool:
    """Let no warning raise from here on. True if `end` has to be called."""
    if not _exchange.users and not any(entry[0] == "error" for entry in warnings.filters):
        return False
    with _exchange.lock:
        _exchange.users += 1
        filters: Any = warnings.filters  # the type checker takes it for a sequence
        for place, entry in enumerate(filters):
            if entry[0] == "error":
                shown = ("default", *entry[1:])
                filters[place] = shown
                _exchange.made.append((filters, entry, shown))
    return True


def end() -> None:
    """What `begin` has changed is over, unless somebody else still needs it."""
    with _exchange.lock:
        _exchange.users -= 1
        if _exchange.users:
            return
        for filters, entry, shown in _exchange.made:
            # Others may have put filters before it, or taken it out.
            for place, found in enumerate(filters):
                if found is shown:
                    filters[place] = entry
        _exchange.made.clear()


@contextmanager
def as_warnings() -> Iterator[None]:
    """Let no warning raise in the block."""
    begun = begin()
    try:
        yield
    finally:
        if begun:
            end()

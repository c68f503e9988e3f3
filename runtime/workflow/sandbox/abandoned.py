"""Generators that the garbage collector ends.

A generator, or a coroutine that nobody awaits, that is forgotten as part of a cycle is closed by
the collector, at a moment that is another one in every process, and perhaps while another run
executes. Nothing of it may run then: the policy puts `if $collecting and $collected(): return`
before what it does when it is closed. Whatever is forgotten otherwise ends at once, at the same
place every time.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping
from threading import get_ident
from typing import Any

__all__ = ["COLLECTING", "is_collected"]

COLLECTING: list[int] = []
"""The threads whose garbage collector is at work."""


def is_collected() -> bool:
    """Whether the caller is executed by the garbage collector of its thread."""
    return get_ident() in COLLECTING


def _note(phase: str, info: Mapping[str, Any]) -> None:
    if phase == "start":
        COLLECTING.append(get_ident())
    elif COLLECTING:
        COLLECTING.remove(get_ident())


gc.callbacks.append(_note)

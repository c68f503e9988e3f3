"""Calls that a body makes and never awaits: told as a warning, at the line of the call.

`wfc build` finds those it can follow. What is left is found when the coroutine is freed: Python
reports it then, and for one of a running body the report goes the way of everything the body says,
so that it is told once, after the append, and by no replay. It does not end the run: which moment a
coroutine is freed at may be up to the garbage collector, and no decision can depend on that.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any

__all__ = ["ORIGIN", "report_to", "watch"]

ORIGIN = 1
"""How many frames Python keeps for each coroutine that a body makes: the one of the call."""

_Tell = Callable[[str], None]
_find: Callable[[], _Tell | None] | None = None


def report_to(find: Callable[[], _Tell | None]) -> None:
    """Have `find` asked who is told of a coroutine that was freed; None for Python's own report."""
    global _find
    _find = find


def watch() -> int:
    """Have the calls of coroutines of this thread remembered. Returns what to restore."""
    depth = sys.get_coroutine_origin_tracking_depth()
    sys.set_coroutine_origin_tracking_depth(ORIGIN)
    return depth


def _freed(coroutine: Any) -> None:
    tell = _find() if _find is not None else None
    if tell is None:
        # One with an origin, where none are kept, is of a body whose copy was dropped: the copy
        # that goes on tells it, and a run that has failed tells more than that.
        if not coroutine.cr_origin or sys.get_coroutine_origin_tracking_depth() > 0:
            _original(coroutine)
        return
    name = coroutine.__name__
    where = ""
    if coroutine.cr_origin:
        path, line, _ = coroutine.cr_origin[0]
        where = f"{path}:{line}: "
    tell(
        f"{where}{name}() was called and never awaited, so nothing of it has happened. "
        f"Write `await {name}(...)`; to let it run beside the rest, give it to "
        "asyncio.create_task() and await the task later"
    )


# The interpreter looks this function up by its name whenever it frees such a coroutine.
_original: Callable[[Any], None] = warnings._warn_unawaited_coroutine  # type: ignore[attr-defined]
warnings._warn_unawaited_coroutine = _freed  # type: ignore[attr-defined]

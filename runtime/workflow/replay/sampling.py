"""How often to look how deep a body is in calls (`stack.py`).

To look takes half a microsecond, which is much for a call of a small function. Far from the limit
one of CALLS is enough, close to it each has to be looked at. `LOOK` says which, in C: it goes
through a list of False that ends with True, and is set back to some place in it, as the rounds of
loops are (`limits.py`). Every callback of the event loop begins with a look, so that what was
counted before, by another run or in another process, makes no difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["CALLS", "LOOK", "at_once", "later"]

CALLS = 16

# More than one True: an interrupt may come between taking it and the look.
_SPARE = 256

_iterator: Any = iter([False] * (CALLS - 1) + [True] * _SPARE)
LOOK: Iterator[bool] = _iterator
"""Gives True for a call that is to be looked at."""

_place = _iterator.__setstate__


def at_once() -> None:
    """Look at the next call."""
    _place(CALLS - 1)


def later() -> None:
    """Leave out the calls in between."""
    _place(0)


at_once()

"""How long a body may go on without waiting for anything.

While it runs, nothing else in the process does. A clock would stop it at another place in every
process, so rounds are counted: the policy puts `if next(FUEL): refuel()` into every loop of
workflow code, and the event loop counts its callbacks. One number for the process is enough: only
one body runs at a time, and a thread that runs another one at most gives this one more time.

A call of a Python function in every round would cost more than many a round does. So rounds are
handed out in portions, and the next of one is taken in C: FUEL goes through a list of False that
ends with True, and is set back to some place in it, never coming to its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

from workflow.errors import BusyWorkflowError

__all__ = ["CALLBACK", "FUEL", "ROUNDS", "begin", "overrun", "refuel", "resume", "spend", "tick"]

ROUNDS = 20_000_000
"""The rounds of loops a body may make in one turn, unless told otherwise: some seconds."""

CALLBACK = 20
"""How many rounds a callback of the event loop counts for."""

_Count = tuple[int, int, BusyWorkflowError | None]

_PORTION = 1024
# More than one True: an interrupt may come between taking it and setting FUEL back.
_SPARE = 256

_iterator: Any = iter([False] * _PORTION + [True] * _SPARE)
FUEL: Iterator[bool] = _iterator
"""Gives False for a round that was handed out, True when the next portion has to be (`refuel`)."""

_place = _iterator.__setstate__
_to_end = _iterator.__length_hint__
_place(_PORTION)

_limit = ROUNDS
_left = ROUNDS  # not handed out yet
_first: BusyWorkflowError | None = None


def begin(rounds: int | None = None) -> _Count:
    """Start to count anew, up to `rounds` (default ROUNDS). Returns what to `resume` afterwards."""
    global _limit, _left, _first
    _take_back()
    before = _limit, _left, _first
    _limit = _left = ROUNDS if rounds is None else rounds
    _first = None
    return before


def resume(before: _Count) -> None:
    """Go on with the count that `begin` interrupted."""
    global _limit, _left, _first
    _place(_PORTION)
    _limit, _left, _first = before


def tick() -> None:
    """Count one round. Raises BusyWorkflowError beyond the limit, and each time after that."""
    if next(FUEL):
        refuel()


def refuel() -> None:
    """Hand out the next portion and count one round of it, as `tick` does."""
    global _left
    _place(_PORTION)
    if _left <= 0:
        _stop()
    portion = min(_left, _PORTION)
    _left -= portion
    _place(_PORTION - portion + 1)


def spend(rounds: int) -> None:
    """Count several."""
    global _left
    _left -= rounds
    if _left < 0:
        _take_back()
        if _left < 0:
            _stop()


def _take_back() -> None:
    global _left
    _left += max(0, _to_end() - _SPARE)
    _place(_PORTION)


def overrun() -> BusyWorkflowError | None:
    """The error of the first round beyond the limit, also if workflow code has caught it."""
    return _first


def _stop() -> NoReturn:
    global _first
    if _first is None:
        _first = BusyWorkflowError(_limit)
        raise _first
    raise BusyWorkflowError(_limit)

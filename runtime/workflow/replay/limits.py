"""How long a body may go on without waiting for anything.

While it runs, nothing else in the process does. A clock would stop it at another place in every
process, so rounds are counted: the policy puts a call of `tick` into every loop of workflow code,
and the event loop counts its callbacks. One number for the process is enough: only one body runs at
a time, and a thread that runs another one at most gives this one more time.
"""

from __future__ import annotations

from typing import NoReturn

from workflow.errors import BusyWorkflowError

__all__ = ["CALLBACK", "ROUNDS", "begin", "overrun", "resume", "spend", "tick"]

ROUNDS = 20_000_000
"""The rounds of loops a body may make in one turn, unless told otherwise: some seconds."""

CALLBACK = 20
"""How many rounds a callback of the event loop counts for."""

_Count = tuple[int, int, BusyWorkflowError | None]

_limit = ROUNDS
_left = ROUNDS
_first: BusyWorkflowError | None = None


def begin(rounds: int | None = None) -> _Count:
    """Start to count anew, up to `rounds` (default ROUNDS). Returns what to `resume` afterwards."""
    global _limit, _left, _first
    before = _limit, _left, _first
    _limit = _left = ROUNDS if rounds is None else rounds
    _first = None
    return before


def resume(before: _Count) -> None:
    """Go on with the count that `begin` interrupted."""
    global _limit, _left, _first
    _limit, _left, _first = before


def tick() -> None:
    """Count one round. Raises BusyWorkflowError beyond the limit, and each time after that."""
    global _left
    _left -= 1
    if _left < 0:
        _stop()


def spend(rounds: int) -> None:
    """Count several."""
    global _left
    _left -= rounds
    if _left < 0:
        _stop()


def overrun() -> BusyWorkflowError | None:
    """The error of the first round beyond the limit, also if workflow code has caught it."""
    return _first


def _stop() -> NoReturn:
    global _first
    if _first is None:
        _first = BusyWorkflowError(_limit)
        raise _first
    raise BusyWorkflowError(_limit)

"""When a task or a run is due again whose worker has died.

A step that kills its process takes the other steps there with it, and each of them has used an
attempt. Were all due again at once, the same worker would take them together and they would die
together, until the harmless ones were out of attempts as well. So they come back one by one, spread
over a time that grows with every crash.

The same goes for runs whose bodies kill their process. The first time a run is due at once: mostly
it was not its fault, and others should take over without delay. A run that was with two workers
that died is a suspect: it is claimed alone, and its worker claims nothing else until it has taken a
turn. So however long workers need to start again, an innocent run is soon rid of the suspicion, and
only one that kills its worker on its own is claimed again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar
from zlib import crc32

__all__ = ["after_crash", "handed_out", "is_suspect", "run_after_crash"]

T = TypeVar("T")

# The span after the first crash in seconds, how much it grows with each further one, its limit.
_FIRST, _FACTOR, _LONGEST = 0.5, 2.0, 60.0


def after_crash(run_id: str, step_id: str, attempt: int, now: int) -> int:
    """When the task of a step is due again after attempt number `attempt` (from 1) died by `now`.

    The place in the span follows from the names and the attempt, not from chance, so that every
    world gives the same answer. All times are microseconds.
    """
    return now + _place(f"{run_id} {step_id} {attempt}", attempt)


def is_suspect(claims: int) -> bool:
    """Whether a free run that was claimed `claims` times since its last append is claimed alone."""
    return claims > 1


def handed_out(due: Sequence[T], claims: Callable[[T], int]) -> Sequence[T]:
    """Which of some due runs, oldest due first, one claim takes: a suspect only when it is first,
    and then nothing else."""
    if due and is_suspect(claims(due[0])):
        return due[:1]
    return [each for each in due if not is_suspect(claims(each))]


def run_after_crash(run_id: str, claims: int, now: int) -> int:
    """When a run is due again that was claimed `claims` times since its last append, and whose
    worker died by `now`.

    At once after the first claim. All times are microseconds.
    """
    return now + _place(f"{run_id} {claims}", claims - 1) if is_suspect(claims) else now


def _place(name: str, crash: int) -> int:
    span = min(_LONGEST, _FIRST * _FACTOR ** min(max(crash, 1) - 1, 10))
    return int(span * crc32(name.encode()) / 2**32 * 1_000_000)

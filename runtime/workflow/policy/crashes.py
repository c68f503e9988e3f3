"""When a task or a run is due again whose worker has died, and what it is claimed together with.

A step that kills its process takes the other steps there with it, and each of them has used an
attempt. Were all due again at once, the same worker would take them together and they would die
together, until the harmless ones were out of attempts as well. So they come back one by one, spread
over a time that grows with every crash.

That alone does not help where a worker takes longer to start than they are spread: then all are due
together again. So a step whose worker has died under it, and not for the first time, is a suspect:
it is claimed alone, and its worker is given no other task before it is over, or has run for a while
(`ALONE`). After that the next one may begin: steps that last for hours are not lined up for hours
because of two power cuts. Nor are they lined up before: the first crash makes nobody a suspect.

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

__all__ = [
    "ALONE",
    "after_crash",
    "handed_out",
    "is_suspect",
    "is_suspect_step",
    "run_after_crash",
    "watched_until",
]

T = TypeVar("T")

# For how many microseconds a worker that has claimed a suspect step is given no other task.
ALONE = 5_000_000

# The span after the first crash in seconds, how much it grows with each further one, its limit.
_FIRST, _FACTOR, _LONGEST = 0.5, 2.0, 60.0

# How long a suspect step has run, in microseconds, when it is due again in the middle of the span.
_MIDDLE = 60_000_000


def is_suspect_step(attempt: int, error: bytes | None) -> bool:
    """Whether the free task of a step with so many attempts is claimed alone.

    `error` is None when the last attempt left none because its worker died.
    """
    return attempt > 1 and error is None


def watched_until(attempt: int, error: bytes | None, claimed_at: int, now: int) -> int | None:
    """Until when, later than `now`, the owner of a task is given no other one because of it.

    None when it is no suspect, or was claimed by a clock that has been set back since.
    """
    watched = is_suspect_step(attempt - 1, error) and claimed_at <= now < claimed_at + ALONE
    return claimed_at + ALONE if watched else None


def after_crash(run_id: str, step_id: str, attempt: int, now: int, claimed_at: int = 0) -> int:
    """When the task of a step is due again after attempt number `attempt` (from 1), which began at
    `claimed_at`, died by `now`.

    The place in the span follows from the names and the attempt, not from chance, so that every
    world gives the same answer. Of suspects, which were claimed one by one, the one that was
    claimed last comes first: it is likelier that it was its fault than that of one that had run for
    a while. All times are microseconds.
    """
    if is_suspect_step(attempt - 1, None):
        age = max(0, now - claimed_at)
        return now + int(_span(attempt) * age / (age + _MIDDLE))
    return now + _place(f"{run_id} {step_id} {attempt}", attempt)


def is_suspect(claims: int) -> bool:
    """Whether a free run that was claimed `claims` times since its last append is claimed alone."""
    return claims > 1


def handed_out(due: Sequence[T], suspect: Callable[[T], bool]) -> Sequence[T]:
    """Which of some due runs or tasks, oldest due first, one claim takes: a suspect only when it is
    first, and then nothing else."""
    if due and suspect(due[0]):
        return due[:1]
    return [each for each in due if not suspect(each)]


def run_after_crash(run_id: str, claims: int, now: int) -> int:
    """When a run is due again that was claimed `claims` times since its last append, and whose
    worker died by `now`.

    At once after the first claim. All times are microseconds.
    """
    return now + _place(f"{run_id} {claims}", claims - 1) if is_suspect(claims) else now


def _span(crash: int) -> int:
    return int(1_000_000 * min(_LONGEST, _FIRST * _FACTOR ** min(max(crash, 1) - 1, 10)))


def _place(name: str, crash: int) -> int:
    return int(_span(crash) * crc32(name.encode()) / 2**32)

"""The entries of a run's log. The lowest common word of replay, engine and worlds.

A *fact* is an event the body sees, a *decision* one the body caused. Times are integer microseconds
since the Unix epoch (`Micros`). `payload` is bytes of the codec; `meta` is a small JSON object as
bytes, readable by consoles.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

__all__ = ["FACTS", "Event", "Micros", "NewEvent", "Record"]

Micros: TypeAlias = int

FACTS = frozenset(
    {
        "run_created",
        "step_completed",
        "step_failed",
        "hook_created",
        "hook_conflict",
        "hook_received",
        "wait_completed",
        "child_ended",
        "run_cancel_requested",
    }
)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all records: immutable, compared by value."""


class NewEvent(Record, frozen=True, kw_only=True):
    """An event without a place in a log yet. The world numbers it."""

    type: str  # one of FACTS, or of the decisions named in docs/architecture.md
    at: Micros
    ref: str = ""  # correlation id: step_…, hook_…, wait_…, or a child's run id
    name: str = ""  # step id, workflow id, hook token
    payload: bytes | None = None
    meta: bytes | None = None


class Event(NewEvent, frozen=True, kw_only=True):
    """One immutable entry of a run's log. `seq` counts from 1 without gaps."""

    seq: int

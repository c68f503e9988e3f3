"""Children that are to end with their parent: who they are, and the letters that say so."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from workflow.events import Event
from workflow.replay.live import LiveRun, meta_of
from workflow.world.records import Letter

__all__ = ["stop_letters", "stop_letters_of"]


def stop_letters(live: LiveRun) -> tuple[tuple[str, Letter], ...]:
    """What the append that ends a run posts to those of its children that end with it."""
    bound = [c.run_id for c in live.children.values() if c.bound and not c.status]
    return tuple(_letter(live.run_id, child) for child in bound)


def stop_letters_of(run_id: str, log: Iterable[Event]) -> tuple[tuple[str, Letter], ...]:
    """The same, read from the log of a run whose body is not there."""
    bound: dict[str, None] = {}
    for event in log:
        if event.type == "child_created" and meta_of(event).get("cancel_with_parent"):
            bound[event.ref] = None
        elif event.type == "child_ended":
            bound.pop(event.ref, None)
    return tuple(_letter(run_id, child) for child in bound)


def _letter(parent: str, child: str) -> tuple[str, Letter]:
    reason = f"its parent {parent} has ended"
    # With a key: a child that has ended keeps it once, however often its parent says so.
    meta = msgspec.json.encode({"reason": reason})
    return child, Letter(kind="cancel", meta=meta, dedupe=f"parent {parent}")

"""Bring a fresh live run to the end of a log, comparing every decision on the way.

The owner writes each fact followed by the decisions it caused, so a replay must produce, after each
fact, exactly the decisions that stand before the next one. The single exception is the answer to an
opened hook: the world writes the answers in the same transaction, and the decisions they cause come
after the last of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from workflow.errors import DivergenceError
from workflow.events import FACTS, Event, NewEvent
from workflow.replay.live import LiveRun, describe

__all__ = ["catch_up", "same_decision"]

_ANSWERS = frozenset({"hook_created", "hook_conflict"})


def catch_up(live: LiveRun, log: Sequence[Event], pending: deque[NewEvent]) -> Iterator[None]:
    """Feed the facts of `log` to `live`, yielding after each so that the caller can pause.

    Decisions beyond the end of the log are left in `pending`: they belong to the next append.
    Raises DivergenceError, with the log position, at the first difference.
    """
    for event in log:
        if event.type in FACTS:
            if pending and event.type not in _ANSWERS:
                raise _difference(live, event, describe(event), pending[0])
            if live.ended and event.type in _ANSWERS:
                continue  # the body ended on an earlier answer of the same append
            try:
                pending.extend(live.feed(event))
            except DivergenceError as error:
                raise DivergenceError(event.seq, error.recorded, error.asked) from None
            yield
        elif not pending:
            raise DivergenceError(event.seq, describe(event), "nothing")
        else:
            asked = pending.popleft()
            if not same_decision(asked, event):
                raise _difference(live, event, describe(event), asked)
        live.head = event.seq


def same_decision(asked: NewEvent, recorded: NewEvent) -> bool:
    """Whether two decisions are the same; the time they were made does not count."""
    return (
        asked.type == recorded.type
        and asked.ref == recorded.ref
        and asked.name == recorded.name
        and asked.payload == recorded.payload
        and asked.meta == recorded.meta
    )


def _difference(live: LiveRun, event: Event, recorded: str, asked: NewEvent) -> DivergenceError:
    wanted = describe(asked)
    if asked.type == event.type and asked.name == event.name and asked.ref == event.ref:
        wanted += " with other arguments"
    return DivergenceError(event.seq, recorded, wanted, live.source_of(asked.ref))

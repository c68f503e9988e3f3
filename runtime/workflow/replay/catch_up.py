"""Bring a fresh live run to the end of a log, comparing every decision on the way.

The owner writes each fact followed by the decisions it caused, so a replay must produce, after each
fact, exactly the decisions that stand before the next one. The single exception is the answer to an
opened hook: the world writes the answers in the same transaction, and the decisions they cause come
after the last of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from workflow.codec.layers import layered, plain
from workflow.errors import DivergenceError
from workflow.events import FACTS, Event, NewEvent
from workflow.replay.hints import likely_cause
from workflow.replay.live import LiveRun, describe

__all__ = ["catch_up", "same_decision"]

_ANSWERS = frozenset({"hook_created", "hook_conflict"})


def catch_up(live: LiveRun, log: Sequence[Event], pending: deque[NewEvent]) -> Iterator[None]:
    """Feed the facts of `log` to `live`, yielding after each so that the caller can pause.

    Decisions beyond the end of the log are left in `pending`: they belong to the next append.
    Raises DivergenceError, with the log position, at the first difference.
    """
    answering = False  # whether the event before was an answer, which lets decisions wait
    for index, event in enumerate(log):
        is_answer = event.type in _ANSWERS
        if event.type in FACTS:
            if pending and not (is_answer and answering):
                raise _difference(live, log, index, pending)
            if live.ended and is_answer:
                live.head = event.seq
                continue  # the body ended on an earlier answer of the same append
            try:
                pending.extend(live.feed(event))
            except DivergenceError as error:
                place = live.source_of(None)
                raise DivergenceError(
                    event.seq, error.recorded, error.asked, place, hint=_orphan(event)
                ) from None
            yield
        elif not pending or not same_decision(pending[0], event):
            raise _difference(live, log, index, pending)
        else:
            pending.popleft()
        live.head = event.seq
        answering = is_answer


def same_decision(asked: NewEvent, recorded: NewEvent) -> bool:
    """Whether two decisions are the same; the time they were made does not count."""
    return (
        asked.type == recorded.type
        and asked.ref == recorded.ref
        and asked.name == recorded.name
        and _same_value(asked.payload, recorded.payload)
        and asked.meta == recorded.meta
    )


def _same_value(asked: bytes | None, recorded: bytes | None) -> bool:
    """Recorded bytes may still be compressed. Raises DecryptionError when they are encrypted."""
    return asked == recorded or (
        recorded is not None and layered(recorded) and asked == plain(recorded)
    )


def _difference(
    live: LiveRun, log: Sequence[Event], index: int, pending: deque[NewEvent]
) -> DivergenceError:
    recorded = log[index]
    asked = pending[0] if pending else None
    hint = likely_cause(
        asked, recorded, still_asked=list(pending)[1:], rest=log[index + 1 :], codec=live.codec
    )
    if asked is None:
        place = live.source_of(None)
        return DivergenceError(recorded.seq, describe(recorded), "nothing", place, hint=hint)
    wanted = describe(asked)
    if (asked.type, asked.name, asked.ref) == (recorded.type, recorded.name, recorded.ref):
        wanted += " with other arguments"
    return DivergenceError(
        recorded.seq, describe(recorded), wanted, live.source_of(asked), hint=hint
    )


def _orphan(fact: Event) -> str:
    return (
        f"{describe(fact)} answers nothing that this code has open: the call it belongs to was "
        "removed or given up earlier, or the log was changed"
    )

"""One turn of a run: facts are fed one by one, and everything they cause becomes one append.

Nothing here does I/O or leaves the process. The session that owns the run feeds, appends what
`build` returns, and only when that is in starts step bodies, speaks log lines and gives answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from workflow.engine.lineage import stop_letters
from workflow.errors import WorkflowRunCancelledError
from workflow.events import Micros, NewEvent
from workflow.policy.lineage import lineage
from workflow.replay.live import LiveRun, meta_of, pack
from workflow.world.records import Append, Letter, NewRun, NewTask, NewToken

__all__ = ["Turn"]

_ENDS: dict[str, Literal["completed", "failed", "cancelled"]] = {
    "run_completed": "completed",
    "run_failed": "failed",
    "run_cancelled": "cancelled",
}


class Turn:
    """Collects the events of one turn of `live`. `now` is the world's time at its beginning.

    `first` says that nothing of the body is in the log yet.
    """

    def __init__(
        self, live: LiveRun, now: Micros, pending: Iterable[NewEvent], *, first: bool = False
    ) -> None:
        self.live = live
        self.first = first
        self.now = max(now, live.loop.now)
        self.events: list[NewEvent] = list(pending)
        self.eaten: list[int] = []
        self.tasks: dict[str, NewTask] = {}
        self.attributes: dict[str, str | None] = {}

    @property
    def empty(self) -> bool:
        """Whether there is nothing to append, but perhaps the run to be given up."""
        return not (self.events or self.eaten or self.tasks or self.attributes)

    def feed(
        self,
        type: str,
        *,
        ref: str = "",
        name: str = "",
        payload: bytes | None = None,
        meta: bytes | None = None,
    ) -> None:
        """Feed one fact and note it with the decisions it causes."""
        fact = NewEvent(type=type, at=self.now, ref=ref, name=name, payload=payload, meta=meta)
        decisions = self.live.feed(fact)
        self.events.append(fact)
        self.events.extend(decisions)

    def feed_result(
        self, type: str, ref: str, name: str, payload: bytes | None, meta: bytes | None
    ) -> None:
        """Feed a step's result, unless the body has given that call up."""
        if ref in self.live.steps:
            self.feed(type, ref=ref, name=name, payload=payload, meta=meta)

    def read(self, letter: Letter) -> None:
        """Use one letter. A letter that means nothing any more is used up without an event."""
        live = self.live
        self.eaten.append(letter.n)
        match letter.kind:
            case "step_completed" | "step_failed":
                self.feed_result(letter.kind, letter.ref, letter.name, letter.payload, letter.meta)
            case "hook_received" if letter.ref in live.hooks:
                self.feed(
                    "hook_received",
                    ref=letter.ref,
                    name=live.hooks[letter.ref].token,
                    payload=letter.payload,
                    meta=letter.meta,
                )
            case "child_ended" if letter.ref in live.children:
                self.feed(
                    "child_ended",
                    ref=letter.ref,
                    name=letter.name,
                    payload=letter.payload,
                    meta=letter.meta,
                )
            case "cancel" if not live.cancel_requested:
                self.feed("run_cancel_requested", meta=letter.meta)
            case "wake" if self.first:
                pass  # it let the run begin; the body is in no sleep that it could be meant for
            case "wake":
                wanted = msgspec.json.decode(letter.meta) if letter.meta else None
                for ref in live.sleeps():
                    # What one wake-up causes may have cancelled the next sleep.
                    still = not live.ended and ref in live.sleeps()
                    if still and (not wanted or ref in wanted):
                        self.feed("wait_completed", ref=ref)
            case "attrs":
                self.attributes.update(msgspec.json.decode(letter.meta or b"{}"))
            case _:
                pass

    def read_attributes(self, letters: Iterable[Letter]) -> None:
        """Use attribute changes that came too late for a turn of their own: the run has ended."""
        for letter in letters:
            if letter.kind == "attrs" and letter.n not in self.eaten:
                self.read(letter)

    def end_deadline(self, now: Micros) -> None:
        """Feed the end of the run's time before anything that came while nobody worked on it: what
        is too late does not count because it was not looked at earlier."""
        while not self.live.ended and (due := self.live.deadline.overdue(now)) is not None:
            self.feed("wait_completed", ref=due[0])

    def end_due_waits(self, now: Micros) -> None:
        """Feed the end of every wait that is due at `now`, earliest first.

        `now` is not after the time of the turn, so no wait ends before it is due.
        """
        while not self.live.ended and (due := self.live.first_due(now)) is not None:
            self.feed("wait_completed", ref=due[0])

    def called_steps(self) -> list[NewEvent]:
        """The steps decided in this turn that the body still waits for."""
        return [e for e in self.events if e.type == "step_created" and e.ref in self.live.steps]

    def add_task(
        self,
        ref: str,
        name: str,
        payload: bytes,
        *,
        attempt: int = 0,
        run_at: Micros = 0,
        error: bytes | None = None,
    ) -> None:
        """Hand a step to any worker. `attempt` is the number of attempts already made."""
        live = self.live
        about = {
            "workflow": live.workflow,
            "workflow_started_at": live.started_at,
            "base_url": live.base_url,
            "parent": live.parent,
            "root": live.root,
        }
        self.tasks[ref] = NewTask(
            step_id=ref,
            name=name,
            payload=payload,
            attempt=attempt,
            run_at=run_at or self.now,
            created_at=self.now,
            error=error,
            meta=pack(about),
        )

    def build(self, *, worker: str, fence: int, seen: int, release: bool, **pin: Any) -> Append:
        """The append of this turn. `release` gives the run up if it can be given up."""
        tokens: list[NewToken] = []
        closed: list[str] = []
        children: list[NewRun] = []
        end: NewEvent | None = None
        for event in self.events:
            match event.type:
                case "hook_requested":
                    tokens.append(_token(event))
                case "hook_disposed":
                    closed.append(event.ref)
                case "child_created":
                    children.append(_child(self.live, event))
                case "attr_set":
                    self.attributes.update(meta_of(event))
                case "run_completed" | "run_failed" | "run_cancelled":
                    end = event
                case _:
                    pass
        dropped = self.live.take_abandoned()
        return Append(
            run_id=self.live.run_id,
            worker=worker,
            fence=fence,
            expected=self.live.head,
            at=self.now,
            events=tuple(self.events),
            eat=tuple(self.eaten),
            seen=seen,
            next_timer=None if end is not None else self.live.next_timer(),
            add_tasks=tuple(t for ref, t in self.tasks.items() if ref in self.live.steps),
            drop_tasks=tuple(dropped),
            open_tokens=() if end is not None else tuple(tokens),
            close_tokens=tuple(closed),
            children=tuple(children),
            attributes=self.attributes or None,
            letters=stop_letters(self.live) if end is not None else (),
            release=release and not tokens and end is None,
            end=_ENDS[end.type] if end is not None else None,
            output=_output(self.live, end) if end is not None else None,
            error_code=meta_of(end).get("code") if end is not None else None,
            **pin,
        )


def _token(event: NewEvent) -> NewToken:
    meta = meta_of(event)
    return NewToken(
        token=event.name,
        ref=event.ref,
        webhook=bool(meta.pop("webhook", False)),
        metadata=event.payload,
        meta=pack(meta) if meta else None,
    )


def _child(live: LiveRun, event: NewEvent) -> NewRun:
    options = meta_of(event)
    return NewRun(
        run_id=event.ref,
        workflow=event.name,
        input=event.payload or b"",
        meta=live.meta_for(event.ref, options),
        attributes={**options.get("attributes", {}), **lineage(live.run_id, live.root)},
        start_at=options.get("start_at"),
        parent_run=live.run_id,
        parent_ref=event.ref,
    )


def _output(live: LiveRun, end: NewEvent) -> bytes | None:
    if end.type == "run_cancelled":  # for a parent that waits: it does not read our log
        return live.codec.encode_error(WorkflowRunCancelledError(live.run_id, live.cancel_reason))
    return end.payload

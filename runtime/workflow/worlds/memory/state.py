"""The tables of the memory world and the rules that several of its methods share.

Everything here is synchronous and runs under the world's lock, so each call is one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from workflow.policy.crashes import (
    after_crash,
    handed_out,
    is_suspect,
    is_suspect_step,
    run_after_crash,
    watched_until,
)
from workflow.world.records import (
    Chunk,
    ChunkWrite,
    Created,
    Event,
    HookRecord,
    Letter,
    Micros,
    NewEvent,
    NewRun,
    NewToken,
    Posted,
    RunFilter,
    RunRecord,
    Task,
    WorkerRecord,
)

__all__ = ["Row", "State", "Stream", "matches"]


@dataclass(slots=True)
class Stream:
    """One stream of a run; a chunk's index is its place in the list."""

    chunks: list[Chunk] = field(default_factory=list)
    closed: bool = False


@dataclass(slots=True)
class Row:
    """A run with what belongs to it alone."""

    run: RunRecord
    mailed_at: Micros  # when the oldest unseen mail came; only compared while mail > seen
    events: list[Event] = field(default_factory=list)
    letters: dict[int, Letter] = field(default_factory=dict)
    dedupe: dict[str, bool] = field(default_factory=dict)  # key -> was the run open?
    streams: dict[str, Stream] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        return self.run.completed_at is None

    @property
    def waits_until(self) -> Micros:
        """Before this the run is not due: it was with workers that died, more than once."""
        return (
            self.mailed_at if is_suspect(self.run.claims) and self.run.mail > self.run.seen else 0
        )

    def set(self, **changes: Any) -> None:
        self.run = replace(self.run, **changes)

    def write(self, event: NewEvent) -> Event:
        """Add an event at the end of the log."""
        written = Event(**msgspec.structs.asdict(event), seq=self.run.head + 1)
        self.events.append(written)
        self.set(head=written.seq)
        return written


@dataclass(slots=True)
class State:
    """All tables. Dictionaries keep insertion order, which breaks ties between equal times."""

    rows: dict[str, Row] = field(default_factory=dict)
    open_rows: dict[str, Row] = field(default_factory=dict)
    keys: dict[tuple[str, str], str] = field(default_factory=dict)  # (workflow, idempotency key)
    tasks: dict[tuple[str, str], Task] = field(default_factory=dict)  # (run id, step id)
    hooks: dict[str, HookRecord] = field(default_factory=dict)  # by token
    workers: dict[str, WorkerRecord] = field(default_factory=dict)
    bundles: dict[str, tuple[bytes, Micros]] = field(default_factory=dict)
    secrets: dict[str, bytes] = field(default_factory=dict)

    def create(self, new: NewRun, now: Micros) -> Created:
        key = None if new.idempotency_key is None else (new.workflow, new.idempotency_key)
        if key is not None and key in self.keys:
            return Created(run_id=self.keys[key], created=False)
        if new.run_id in self.rows:
            return Created(run_id=new.run_id, created=False)
        run = RunRecord(
            run_id=new.run_id,
            workflow=new.workflow,
            status="pending",
            created_at=now,
            input=new.input,
            idempotency_key=new.idempotency_key,
            attributes=dict(new.attributes),
            parent_run=new.parent_run,
            parent_ref=new.parent_ref,
            head=1,
            # The first nudge; a run that starts later is due by its timer instead.
            mail=1 if new.start_at is None else 0,
            next_timer=new.start_at,
        )
        first = Event(
            seq=1, type="run_created", at=now, name=new.workflow, payload=new.input, meta=new.meta
        )
        row = Row(run, mailed_at=now, events=[first])
        self.rows[new.run_id] = self.open_rows[new.run_id] = row
        if key is not None:
            self.keys[key] = new.run_id
        return Created(run_id=new.run_id, created=True)

    # -- mail ------------------------------------------------------------------------------

    def nudge(self, row: Row, now: Micros) -> None:
        """Raise the mail counter: the run is due as soon as it is unowned."""
        if row.run.mail == row.run.seen:
            row.mailed_at = now
        row.set(mail=row.run.mail + 1)

    def deliver(self, run_id: str, letter: Letter, now: Micros) -> Posted:
        """Put a letter into the mail. An ended run keeps it undelivered."""
        row = self.rows.get(run_id)
        if row is None:
            return Posted(outcome="missing", run_id=run_id, ref=letter.ref)
        outcome: Literal["posted", "ended"] = "posted" if row.is_open else "ended"
        if letter.kind == "nudge":
            if row.is_open:
                self.nudge(row, now)
            return Posted(outcome=outcome, run_id=run_id, ref=letter.ref)
        if letter.dedupe is not None:
            if letter.dedupe in row.dedupe:
                in_time = row.dedupe[letter.dedupe]
                return Posted(
                    outcome="duplicate" if in_time else "ended", run_id=run_id, ref=letter.ref
                )
            row.dedupe[letter.dedupe] = row.is_open
        self.nudge(row, now)
        number = row.run.mail
        row.letters[number] = replace(letter, n=number, at=now)
        return Posted(outcome=outcome, run_id=run_id, ref=letter.ref)

    # -- due runs --------------------------------------------------------------------------

    def due_since(self, row: Row, now: Micros) -> Micros | None:
        """When an unowned, open, unparked run became due; None when it is not."""
        run = row.run
        if run.owner is not None or run.parked is not None or not row.is_open:
            return None
        if row.waits_until > now:
            return None
        since = [row.mailed_at] if run.mail > run.seen else []
        if run.next_timer is not None and run.next_timer <= now:
            since.append(run.next_timer)
        return min(since, default=None)

    def free(self, lost: Callable[[str], bool], now: Micros, *, crashed: bool) -> int:
        """Make the runs and tasks of lost owners ownerless and nudge the runs.

        With `crashed` the tasks come back one by one, and so do runs that crash again and again;
        see `workflow.policy.crashes`.
        """
        freed = 0
        for row in self.open_rows.values():
            if row.run.owner is not None and lost(row.run.owner):
                row.set(owner=None)
                self.nudge(row, now)
                if crashed and is_suspect(row.run.claims):
                    row.mailed_at = run_after_crash(row.run.run_id, row.run.claims, now)
                freed += 1
        for key, task in self.tasks.items():
            if task.owner is not None and lost(task.owner):
                self.tasks[key] = replace(task, owner=None)
                if crashed:
                    due = after_crash(*key, task.attempt, now, task.run_at)
                    self.tasks[key] = replace(task, owner=None, run_at=due, error=None)
                freed += 1
        return freed

    # -- tasks -----------------------------------------------------------------------------

    def claim_tasks(
        self, worker: str, limit: int, names: Collection[str], now: Micros
    ) -> tuple[Task, ...]:
        """Hand due tasks of known steps to a worker, the oldest first."""
        if self.watched_until(worker, now) is not None:
            return ()
        due = [
            task
            for task in self.tasks.values()
            if task.owner is None and task.run_at <= now and task.name in names
        ]
        due.sort(key=lambda task: task.run_at)
        taken = handed_out(due[:limit], lambda task: is_suspect_step(task.attempt, task.error))
        claimed = tuple(
            replace(task, owner=worker, attempt=task.attempt + 1, run_at=now) for task in taken
        )
        self.tasks.update({(task.run_id, task.step_id): task for task in claimed})
        return claimed

    def watched_until(self, worker: str, now: Micros) -> Micros | None:
        """Until when a worker is given no task because of one that it has, None if it is."""
        own = (task for task in self.tasks.values() if task.owner == worker)
        until = (watched_until(t.attempt, t.error, t.run_at, now) for t in own)
        return max(filter(None, until), default=None)

    def is_current(self, write: ChunkWrite) -> bool:
        """Whether chunks come from the attempt that counts."""
        row = self.rows.get(write.run_id)
        if row is None or not row.is_open:
            return False
        if write.fence is not None:
            return (row.run.owner, row.run.fence) == (write.worker, write.fence)
        task = self.tasks.get((write.run_id, write.step_id))
        return task is not None and (task.owner, task.attempt) == (write.worker, write.attempt)

    # -- tokens ----------------------------------------------------------------------------

    def open_token(self, row: Row, new: NewToken, at: Micros, *, closing: bool) -> Event:
        """Decide whether a token is free, and write that into the log."""
        holder = self.hooks.get(new.token)
        if holder is not None:
            meta = msgspec.json.encode({"run_id": holder.run_id})
            return row.write(
                NewEvent(type="hook_conflict", at=at, ref=new.ref, name=new.token, meta=meta)
            )
        if not closing:  # opened and disposed in one turn: it never holds the token
            self.hooks[new.token] = HookRecord(
                run_id=row.run.run_id,
                hook_id=new.ref,
                token=new.token,
                created_at=at,
                webhook=new.webhook,
                metadata=new.metadata,
                meta=new.meta,
            )
        return row.write(
            NewEvent(type="hook_created", at=at, ref=new.ref, name=new.token, meta=new.meta)
        )

    def close_tokens(self, run_id: str, refs: tuple[str, ...] | None = None) -> None:
        """Free a run's tokens, those of all its hooks when `refs` is None."""
        for token, hook in list(self.hooks.items()):
            if hook.run_id == run_id and (refs is None or hook.hook_id in refs):
                del self.hooks[token]

    # -- ends ------------------------------------------------------------------------------

    def finish(self, row: Row, now: Micros) -> None:
        """Clear up behind a run whose last event and status are written, and tell its parent."""
        run_id = row.run.run_id
        row.set(owner=None, parked=None, next_timer=None)
        del self.open_rows[run_id]
        for key in [key for key in self.tasks if key[0] == run_id]:
            del self.tasks[key]
        self.close_tokens(run_id)
        if row.run.parent_run is not None:
            code = row.run.error_code
            ending = {"status": row.run.status, **({"code": code} if code else {})}
            told = Letter(
                kind="child_ended",
                ref=row.run.parent_ref or "",
                name=row.run.workflow,
                payload=row.run.output,
                meta=msgspec.json.encode(ending),
            )
            self.deliver(row.run.parent_run, told, now)


def matches(run: RunRecord, where: RunFilter) -> bool:
    """Whether a listing selects a run."""
    return (
        where.workflow in (None, run.workflow)
        and where.status in (None, run.status)
        and where.parked in (None, run.parked is not None)
        and (where.created_from is None or run.created_at >= where.created_from)
        and (where.created_before is None or run.created_at < where.created_before)
        and where.attributes.items() <= run.attributes.items()
    )

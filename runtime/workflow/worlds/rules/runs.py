"""Operations on runs: what the port's methods do to the rows of a batch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import msgspec
from msgspec.structs import asdict, replace

from workflow.world.records import (
    Append,
    Appended,
    Created,
    Event,
    Letter,
    Micros,
    NewEvent,
    NewRun,
    NewToken,
    Parked,
    Posted,
)
from workflow.worlds.rules.batch import Again, Batch, Holder, Row, Wants

__all__ = ["Appending", "Creating", "Parking", "Posting", "Terminating", "Unparking", "deliver"]


@dataclass(frozen=True, slots=True)
class Creating:
    """Create a run unless its key or its id is in use."""

    new: NewRun
    exclusive = None
    gives_work = True

    def wants(self, wants: Wants) -> None:
        wants.new_runs.append(self.new.run_id)
        if self.new.idempotency_key is not None:
            wants.keys.add((self.new.workflow, self.new.idempotency_key))

    def apply(self, batch: Batch) -> Created:
        new = self.new
        if new.idempotency_key is not None:
            used = batch.keys.get((new.workflow, new.idempotency_key))
            if used is not None:
                return Created(run_id=used, created=False)
        if new.run_id in batch.rows:
            return Created(run_id=new.run_id, created=False)
        row = Row(
            id=batch.next_run_id(),
            run_id=new.run_id,
            workflow=new.workflow,
            status="pending",
            started_at=None,
            completed_at=None,
            output=None,
            error_code=None,
            bundle=None,
            python=None,
            attributes=_json(new.attributes),
            parent_run=new.parent_run,
            parent_ref=new.parent_ref,
            head=0,
            # The first nudge; a run that starts later is due by its timer instead.
            mail=1 if new.start_at is None else 0,
            seen=0,
            mailed_at=batch.now,
            next_timer=new.start_at,
            owner=None,
            fence=0,
            claims=0,
            parked=None,
            created_at=batch.now,
            key=new.idempotency_key,
            is_new=True,
        )
        batch.rows[new.run_id] = row
        if new.idempotency_key is not None:
            batch.keys[new.workflow, new.idempotency_key] = new.run_id
        first = NewEvent(
            type="run_created", at=batch.now, name=new.workflow, payload=new.input, meta=new.meta
        )
        _write(batch, row, [first])
        return Created(run_id=new.run_id, created=True)


def _write(batch: Batch, row: Row, events: Iterable[NewEvent]) -> None:
    """Add events at the end of a run's log."""
    for event in events:
        row.head += 1
        batch.events.append((row.id, row.head, event))
    row.changed = True


# -- mail ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Posting:
    """Put a letter into the mail of a run, or of the run that holds a token.

    `call` tells this call from all others, so that it may be made again when nobody knows what
    became of it; a letter with a dedupe key needs none.
    """

    to: str
    letter: Letter
    by_token: bool = False
    call: str | None = None
    exclusive = None
    gives_work = True

    def wants(self, wants: Wants) -> None:
        key = _key(self.letter, self.call)
        if self.by_token:
            wants.tokens.add(self.to)
            if key is not None:
                wants.token_letter_keys.add((self.to, key))
        else:
            want_letter(wants, self.to, self.letter, self.call)

    def apply(self, batch: Batch) -> Posted:
        if not self.by_token:
            return deliver(batch, self.to, self.letter, self.call)
        holder = batch.hooks.get(self.to)
        if holder is None or self.letter.ref not in ("", holder.hook_id):
            return Posted(outcome="missing")
        if holder.run_id not in batch.rows:
            raise Again  # it went from one run to another while we waited for the lock
        letter = replace(self.letter, ref=holder.hook_id)
        return deliver(batch, holder.run_id, letter, self.call)


def _key(letter: Letter, call: str | None) -> str | None:
    return call if letter.dedupe is None else letter.dedupe


def want_letter(wants: Wants, run_id: str, letter: Letter, call: str | None = None) -> None:
    """What delivering a letter needs."""
    wants.runs.add(run_id)
    key = _key(letter, call)
    if key is not None:
        wants.letter_keys.add((run_id, key))


def deliver(batch: Batch, run_id: str, letter: Letter, call: str | None = None) -> Posted:
    """Put a letter into the mail. An ended run keeps it undelivered. `call` as in `Posting`."""
    row = batch.rows.get(run_id)
    if row is None:
        return Posted(outcome="missing", run_id=run_id, ref=letter.ref)
    outcome: Literal["posted", "ended"] = "posted" if row.is_open else "ended"
    posted = Posted(outcome=outcome, run_id=run_id, ref=letter.ref)
    if letter.kind == "nudge":
        if row.is_open:
            _nudge(batch, row)
        return posted
    key = _key(letter, call)
    if key is not None:
        known = batch.letter_keys.get((run_id, key))
        if known is not None:
            late: Literal["duplicate", "ended"] = "duplicate" if known else "ended"
            return Posted(outcome=late, run_id=run_id, ref=letter.ref)
        batch.letter_keys[run_id, key] = row.is_open
        batch.new_letter_keys.append((row.id, key, row.is_open))
    _nudge(batch, row)
    batch.letters.append(
        (row.id, row.mail, letter.kind, letter.ref, letter.name, letter.payload, letter.meta,
         batch.now, letter.dedupe)
    )  # fmt: skip
    return posted


def _nudge(batch: Batch, row: Row) -> None:
    if row.mail == row.seen:
        row.mailed_at = batch.now
    row.mail += 1
    row.changed = True


# -- appends ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Appending:
    """Apply a turn, or refuse it."""

    asked: Append

    @property
    def exclusive(self) -> str:
        return self.asked.run_id

    @property
    def gives_work(self) -> bool:
        asked = self.asked
        return bool(
            asked.release
            or asked.end
            or asked.next_timer is not None
            or asked.add_tasks
            or asked.children
            or asked.letters
        )

    def wants(self, wants: Wants) -> None:
        asked = self.asked
        wants.runs.add(asked.run_id)
        wants.open_tokens.update(new.token for new in asked.open_tokens)
        for child in asked.children:
            Creating(child).wants(wants)
        for to, letter in asked.letters:
            want_letter(wants, to, letter)
        if asked.end is not None:
            wants.children.add(asked.run_id)

    def apply(self, batch: Batch) -> Appended:
        asked, row = self.asked, batch.rows.get(self.asked.run_id)
        if (
            row is None
            or not row.is_open
            or row.parked is not None
            or (row.fence, row.head) != (asked.fence, asked.expected)
        ):
            return Appended(ok=False)
        _write(batch, row, asked.events)
        opened = tuple(_tokens(batch, row, asked))
        _advance(batch, row, asked)
        batch.eaten += [(row.id, n) for n in asked.eat]
        for step in asked.drop_tasks:
            batch.dropped_tasks.append((row.id, step))
            batch.tasks.pop((row.run_id, step), None)
        batch.added_tasks += [(row.id, task) for task in asked.add_tasks]
        for child in asked.children:
            Creating(child).apply(batch)
        for to, letter in asked.letters:
            deliver(batch, to, letter)
        mail = row.mail
        if asked.end is not None:
            _end(batch, row, asked.end, asked.output, asked.error_code, asked.at)
        return Appended(ok=True, head=row.head, mail=mail, opened=opened)


def _advance(batch: Batch, row: Row, asked: Append) -> None:
    """What an append sets on the run."""
    if row.status == "pending" and (asked.events or asked.open_tokens):
        row.status, row.started_at, row.deep = "running", asked.at, True
    if asked.status is not None:
        row.status, row.deep = asked.status, True
    if asked.bundle is not None or asked.python is not None:
        row.bundle, row.python = asked.bundle or row.bundle, asked.python or row.python
        row.deep = True
    if asked.attributes:
        merged = {**msgspec.json.decode(row.attributes), **asked.attributes}
        row.attributes = _json({k: value for k, value in merged.items() if value is not None})
        row.deep = True
    row.seen = max(row.seen, asked.seen)
    row.mailed_at = batch.now
    row.next_timer = asked.next_timer
    row.claims = 0
    # An opened token's event is still to be fed, so the run cannot be idle.
    row.owner = None if asked.release and not asked.open_tokens else asked.worker
    row.changed = True


def _tokens(batch: Batch, row: Row, asked: Append) -> Iterable[Event]:
    """Free and open tokens; the events that say which ones were free."""
    if asked.close_tokens:
        batch.closed_hooks += [(row.id, ref) for ref in asked.close_tokens]
        for found in (batch.hooks, batch.new_hooks):
            for token in [t for t, h in found.items() if _is_closed(row, h, asked.close_tokens)]:
                del found[token]
    for new in asked.open_tokens:
        event = _open(batch, row, new, asked)
        _write(batch, row, [event])
        yield Event(**asdict(event), seq=row.head)


def _is_closed(row: Row, hook: Holder | tuple[object, ...], refs: tuple[str, ...]) -> bool:
    if isinstance(hook, Holder):
        return hook.run_id == row.run_id and hook.hook_id in refs
    return hook[1] == row.id and hook[2] in refs


def _open(batch: Batch, row: Row, new: NewToken, asked: Append) -> NewEvent:
    holder = batch.hooks.get(new.token)
    if holder is not None:
        meta = msgspec.json.encode({"run_id": holder.run_id})
        return NewEvent(type="hook_conflict", at=asked.at, ref=new.ref, name=new.token, meta=meta)
    if new.ref not in asked.close_tokens:  # else disposed in the same turn: it never holds it
        batch.hooks[new.token] = Holder(row.run_id, new.ref)
        batch.new_hooks[new.token] = (
            new.token, row.id, new.ref, asked.at, new.webhook, new.metadata, new.meta,
        )  # fmt: skip
    return NewEvent(type="hook_created", at=asked.at, ref=new.ref, name=new.token, meta=new.meta)


# -- parking and ends ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Parking:
    """Park an open run under its fence."""

    run_id: str
    fence: int
    parked: Parked
    gives_work = False

    @property
    def exclusive(self) -> str:
        return self.run_id

    def wants(self, wants: Wants) -> None:
        wants.runs.add(self.run_id)

    def apply(self, batch: Batch) -> bool:
        row = batch.rows.get(self.run_id)
        if row is None or not row.is_open or row.fence != self.fence:
            return False
        row.parked, row.owner = _json(self.parked), None
        row.changed = row.deep = True
        return True


@dataclass(frozen=True, slots=True)
class Unparking:
    """Let a parked run go on, under a fence that no live copy of the old code has."""

    run_id: str
    bundle: str | None
    gives_work = True

    @property
    def exclusive(self) -> str:
        return self.run_id

    def wants(self, wants: Wants) -> None:
        wants.runs.add(self.run_id)

    def apply(self, batch: Batch) -> bool:
        row = batch.rows.get(self.run_id)
        if row is None or row.parked is None:
            return False
        row.parked, row.claims, row.fence = None, 0, row.fence + 1
        row.bundle = self.bundle or row.bundle
        row.deep = True
        batch.resumed.append(row.id)
        _nudge(batch, row)
        return True


@dataclass(frozen=True, slots=True)
class Terminating:
    """End an open run without its body."""

    run_id: str
    event: NewEvent
    output: bytes
    code: str
    gives_work = True

    @property
    def exclusive(self) -> str:
        return self.run_id

    def wants(self, wants: Wants) -> None:
        wants.runs.add(self.run_id)
        wants.children.add(self.run_id)
        wants.last_events.add(self.run_id)

    def apply(self, batch: Batch) -> bool:
        row = batch.rows.get(self.run_id)
        if row is None or not row.is_open:
            return False
        last = [event.at for run, _, event in batch.events if run == row.id]
        at = max(self.event.at, *last, batch.last_events.get(self.run_id, 0))
        _write(batch, row, [replace(self.event, at=at)])
        row.fence += 1
        _end(batch, row, "cancelled", self.output, self.code, at)
        return True


def _end(
    batch: Batch, row: Row, status: str, output: bytes | None, code: str | None, at: Micros
) -> None:
    """Set the final state, clear up, and tell the parent."""
    row.status, row.output, row.error_code, row.completed_at = status, output, code, at
    row.owner = row.parked = row.next_timer = None
    row.changed = row.deep = True
    batch.ended.append(row.id)
    for key in [key for key in batch.tasks if key[0] == row.run_id]:
        del batch.tasks[key]
    for token in [t for t, holder in batch.hooks.items() if holder.run_id == row.run_id]:
        del batch.hooks[token]
        batch.new_hooks.pop(token, None)
    if row.parent_run is not None:
        ending = {"status": status, **({"code": code} if code else {})}
        told = Letter(
            kind="child_ended",
            ref=row.parent_ref or "",
            name=row.workflow,
            payload=output,
            meta=msgspec.json.encode(ending),
        )
        deliver(batch, row.parent_run, told)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()

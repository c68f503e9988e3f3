"""Operations on runs: what the port's methods do inside a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Literal

import msgspec
from msgspec.structs import asdict

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
from workflow.worlds.local.store import Tx

__all__ = ["append", "create", "deliver", "deliver_to_token", "park", "terminate", "unpark"]


def create(tx: Tx, new: NewRun) -> Created:
    """Create a run unless its key or its id is in use."""
    if new.idempotency_key is not None:
        used = tx.one("run_by_key", workflow=new.workflow, key=new.idempotency_key)
        if used is not None:
            return Created(run_id=used["run_id"], created=False)
    if tx.one("run_row", run_id=new.run_id) is not None:
        return Created(run_id=new.run_id, created=False)
    now = tx.now
    added = tx.one(
        "add_run",
        run_id=new.run_id,
        workflow=new.workflow,
        now=now,
        key=new.idempotency_key,
        attributes=_json(new.attributes),
        parent_run=new.parent_run,
        parent_ref=new.parent_ref,
        start_at=new.start_at,
    )
    assert added is not None
    first = NewEvent(
        type="run_created", at=now, name=new.workflow, payload=new.input, meta=new.meta
    )
    _write(tx, added["id"], 0, [first])
    return Created(run_id=new.run_id, created=True)


def _write(tx: Tx, run: int, head: int, events: Iterable[NewEvent]) -> int:
    """Add events at the end of a log; the new head."""
    numbered = [{**asdict(event), "run": run, "seq": n} for n, event in enumerate(events, head + 1)]
    tx.many("add_events", numbered)
    return head + len(numbered)


# -- mail ------------------------------------------------------------------------------------


def deliver(tx: Tx, run_id: str, letter: Letter) -> Posted:
    """Put a letter into the mail. An ended run keeps it undelivered."""
    row = tx.one("run_row", run_id=run_id)
    if row is None:
        return Posted(outcome="missing", run_id=run_id, ref=letter.ref)
    run, is_open, now = row["id"], bool(row["is_open"]), tx.now
    outcome: Literal["posted", "ended"] = "posted" if is_open else "ended"
    posted = Posted(outcome=outcome, run_id=run_id, ref=letter.ref)
    if letter.kind == "nudge":
        if is_open:
            tx.one("nudge", run=run, now=now)
        return posted
    if letter.dedupe is not None:
        known = tx.one("known_letter", run=run, dedupe=letter.dedupe)
        if known is not None:
            late: Literal["duplicate", "ended"] = "duplicate" if known["in_time"] else "ended"
            return Posted(outcome=late, run_id=run_id, ref=letter.ref)
        tx.do("remember_letter", run=run, dedupe=letter.dedupe, in_time=is_open)
    mail = tx.one("nudge", run=run, now=now)
    assert mail is not None
    tx.do("add_letter", **{**asdict(letter), "run": run, "n": mail["mail"], "at": now})
    return posted


def deliver_to_token(tx: Tx, token: str, letter: Letter) -> Posted:
    """Put a letter into the mail of the run that holds a token."""
    hook = tx.one("get_hook", token=token)
    if hook is None:
        return Posted(outcome="missing")
    return deliver(tx, hook["run_id"], msgspec.structs.replace(letter, ref=hook["hook_id"]))


# -- appends ---------------------------------------------------------------------------------


def append(tx: Tx, asked: Append) -> Appended:
    """Apply a turn, or refuse it."""
    row = tx.one("run_row", run_id=asked.run_id)
    if (
        row is None
        or not row["is_open"]
        or row["parked"] is not None
        or (row["fence"], row["head"]) != (asked.fence, asked.expected)
    ):
        return Appended(ok=False)
    run: int = row["id"]
    head = _write(tx, run, row["head"], asked.events)
    opened = _tokens(tx, run, head, asked)
    begins = row["status"] == "pending" and (asked.events or asked.open_tokens)
    after = tx.one(
        "advance",
        run=run,
        status="running" if begins else row["status"],
        started_at=asked.at if begins else row["started_at"],
        head=head + len(opened),
        seen=asked.seen,
        now=tx.now,
        next_timer=asked.next_timer,
        # An opened token's event is still to be fed, so the run cannot be idle.
        owner=None if asked.release and not asked.open_tokens else asked.worker,
        attributes=_merged(row["attributes"], asked.attributes),
        bundle=asked.bundle or row["bundle"],
        python=asked.python or row["python"],
    )
    assert after is not None
    tx.many("eat_letters", [{"run": run, "n": n} for n in asked.eat])
    tx.many("drop_task", [{"run": run, "step_id": step} for step in asked.drop_tasks])
    tx.many("add_tasks", [{**asdict(task), "run": run} for task in asked.add_tasks])
    for child in asked.children:
        create(tx, child)
    for to, letter in asked.letters:
        deliver(tx, to, letter)
    if asked.letters:  # one of them may be for the run itself
        after = tx.one("run_row", run_id=asked.run_id)
        assert after is not None
    if asked.end is not None:
        _end(tx, row, asked.end, asked.output, asked.error_code, asked.at)
    return Appended(ok=True, head=head + len(opened), mail=after["mail"], opened=opened)


def _tokens(tx: Tx, run: int, head: int, asked: Append) -> tuple[Event, ...]:
    """Free and open tokens; the events that say which ones were free."""
    for ref in asked.close_tokens:
        tx.do("close_hook", run=run, hook_id=ref)
    events = [_open(tx, run, new, asked) for new in asked.open_tokens]
    _write(tx, run, head, events)
    return tuple(Event(**asdict(event), seq=n) for n, event in enumerate(events, head + 1))


def _open(tx: Tx, run: int, new: NewToken, asked: Append) -> NewEvent:
    holder = tx.one("get_hook", token=new.token)
    if holder is not None:
        meta = msgspec.json.encode({"run_id": holder["run_id"]})
        return NewEvent(type="hook_conflict", at=asked.at, ref=new.ref, name=new.token, meta=meta)
    if new.ref not in asked.close_tokens:  # else disposed in the same turn: it never holds it
        tx.do(
            "add_hook",
            token=new.token,
            run=run,
            hook_id=new.ref,
            at=asked.at,
            webhook=new.webhook,
            metadata=new.metadata,
            meta=new.meta,
        )
    return NewEvent(type="hook_created", at=asked.at, ref=new.ref, name=new.token, meta=new.meta)


def _merged(attributes: str, changes: dict[str, str | None] | None) -> str:
    if not changes:
        return attributes
    merged = {**msgspec.json.decode(attributes), **changes}
    return _json({key: value for key, value in merged.items() if value is not None})


# -- parking and ends ------------------------------------------------------------------------


def park(tx: Tx, run_id: str, fence: int, parked: Parked) -> bool:
    """Park an open run under its fence."""
    row = tx.one("run_row", run_id=run_id)
    if row is None or not row["is_open"] or row["fence"] != fence:
        return False
    tx.do("park", run=row["id"], parked=_json(parked))
    return True


def unpark(tx: Tx, run_id: str, bundle: str | None) -> bool:
    """Let a parked run go on, and make it due."""
    row = tx.one("run_row", run_id=run_id)
    if row is None or row["parked"] is None:
        return False
    tx.do("unpark", run=row["id"], bundle=bundle)
    tx.one("nudge", run=row["id"], now=tx.now)
    return True


def terminate(tx: Tx, run_id: str, event: NewEvent, output: bytes, code: str) -> bool:
    """End an open run without its body."""
    row = tx.one("run_row", run_id=run_id)
    if row is None or not row["is_open"]:
        return False
    last = tx.one("last_event_at", run=row["id"])
    assert last is not None
    at = max(event.at, last["at"])
    _write(tx, row["id"], row["head"], [msgspec.structs.replace(event, at=at)])
    tx.do("raise_fence", run=row["id"])
    _end(tx, row, "cancelled", output, code, at)
    return True


def _end(
    tx: Tx, row: sqlite3.Row, status: str, output: bytes | None, code: str | None, at: Micros
) -> None:
    """Write the final state, clear up, and tell the parent."""
    run: int = row["id"]
    tx.do("end_run", run=run, status=status, output=output, error_code=code, at=at)
    tx.do("drop_tasks", run=run)
    tx.do("close_hooks", run=run)
    if row["parent_run"] is not None:
        told = Letter(
            kind="child_ended",
            ref=row["parent_ref"] or "",
            name=row["workflow"],
            payload=output,
            meta=msgspec.json.encode({"status": status}),
        )
        deliver(tx, row["parent_run"], told)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()

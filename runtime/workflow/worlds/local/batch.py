"""How the rows of a batch are read from the file and written back: a statement for each table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

from workflow.world.records import Append, Appended
from workflow.worlds.local.store import Tx
from workflow.worlds.rules.batch import Batch, Holder, Row, Stream, TaskRow, Wants

__all__ = ["append_short", "read", "write"]


def read(tx: Tx, wants: Wants) -> Batch:
    """A batch with everything that is wanted."""
    batch = Batch(tx.now)
    runs = wants.runs.union(wants.new_runs)
    if wants.children:
        runs.update(run_id for (run_id,) in tx.rows("parents", _singles(wants.children)))
    if holding := wants.tokens | wants.open_tokens:
        for token, run_id, hook_id in tx.rows("find_hooks", _singles(holding)):
            batch.hooks[token] = Holder(run_id, hook_id)
            if token in wants.tokens:
                runs.add(run_id)
    for values in tx.rows("find_runs", _singles(runs)):
        row = Row(*values)
        batch.rows[row.run_id] = row
    if wants.keys:
        found = tx.rows("find_keys", list(wants.keys))
        batch.keys = {(workflow, key): run_id for workflow, key, run_id in found}
    _read_letter_keys(tx, wants, batch)
    if wants.tasks:
        for id_, run_id, step_id, owner, attempt in tx.rows("find_tasks", list(wants.tasks)):
            batch.tasks[run_id, step_id] = TaskRow(id_, owner, attempt)
    if wants.last_events:
        batch.last_events = dict(
            map(tuple, tx.rows("find_last_events", _singles(wants.last_events)))
        )
    if wants.streams:
        for id_, run_id, name, next_, closed in tx.rows("find_streams", list(wants.streams)):
            run = batch.rows[run_id].id
            batch.streams[run_id, name] = Stream(id_, run, name, next_, bool(closed))
        batch.stream_ids = _free_ids(tx, "last_stream_id", len(wants.streams))
    if wants.new_runs:
        batch.run_ids = _free_ids(tx, "last_run_id", len(wants.new_runs))
    return batch


def _read_letter_keys(tx: Tx, wants: Wants, batch: Batch) -> None:
    keys = set(wants.letter_keys)
    for token, dedupe in wants.token_letter_keys:
        if token in batch.hooks:
            keys.add((batch.hooks[token].run_id, dedupe))
    found = tx.rows("find_letter_keys", list(keys))
    batch.letter_keys = {(run_id, dedupe): bool(in_time) for run_id, dedupe, in_time in found}


def _singles(values: Iterable[str]) -> list[tuple[str]]:
    return [(value,) for value in values]


def _free_ids(tx: Tx, query: str, count: int) -> list[int]:
    """The next numbers, to be taken from the end. The write lock keeps them ours."""
    row = tx.one(query)
    assert row is not None
    return list(range(row[0] + count, row[0], -1))


# -- writing -----------------------------------------------------------------------------------

_FLAT = (
    "id", "head", "mail", "seen", "mailed_at", "next_timer", "owner", "fence", "claims",
)  # fmt: skip
_DEEP = (
    *_FLAT, "status", "started_at", "completed_at", "output", "error_code", "bundle", "python",
    "attributes", "parked",
)  # fmt: skip
_flat = attrgetter(*_FLAT)
_deep = attrgetter(*_DEEP)
_all = attrgetter(
    *_DEEP, "run_id", "workflow", "created_at", "key", "parent_run", "parent_ref"
)  # fmt: skip


def write(tx: Tx, batch: Batch) -> None:
    """Write everything that has changed."""
    rows = batch.rows.values()
    tx.rows("add_runs", [_all(row) for row in rows if row.is_new])
    tx.rows("save_all_of_runs", [_deep(row) for row in rows if row.deep and not row.is_new])
    flat = [_flat(row) for row in rows if row.changed and not row.is_new and not row.deep]
    tx.rows("save_runs", flat)
    tx.rows(
        "add_events",
        [
            (run, seq, e.type, e.at, e.ref, e.name, e.payload, e.meta)
            for run, seq, e in batch.events
        ],
    )
    tx.rows("eat_letters", batch.eaten)
    tx.rows("add_letters", batch.letters)
    tx.rows("add_letter_keys", batch.new_letter_keys)
    tx.rows("finish_tasks", [(task,) for task in batch.finished_tasks])
    tx.rows("retry_tasks", batch.retried_tasks)
    tx.rows("drop_tasks", batch.dropped_tasks)
    tx.rows("add_tasks", _tasks(batch.added_tasks))
    tx.rows("drop_tasks_of_runs", [(run,) for run in batch.ended])
    tx.rows("offer_tasks", [(run, batch.now) for run in batch.resumed])
    tx.rows("close_hooks", batch.closed_hooks)
    tx.rows("close_hooks_of_runs", [(run,) for run in batch.ended])
    tx.rows("add_hooks", list(batch.new_hooks.values()))
    streams = batch.used_streams.values()
    tx.rows("save_streams", [(s.id, s.run, s.name, s.next, s.closed) for s in streams])
    tx.rows("add_chunks", batch.chunks)


def _tasks(added: Iterable[tuple[int, Any]]) -> list[tuple[Any, ...]]:
    return [
        (run, t.step_id, t.name, t.payload, t.attempt, t.run_at, t.created_at, t.error, t.meta)
        for run, t in added
    ]


def append_short(tx: Tx, appends: Sequence[Append]) -> list[Appended | None]:
    """Apply the appends that fit, no two of one run; None for those the batch has to look at."""
    now = tx.now
    fitting: dict[str, tuple[int, int]] = {}
    if all(map(_goes_on, appends)):  # else one statement more would be needed for some of them
        going_on = [
            (a.run_id, a.fence, a.expected, len(a.events), a.seen, a.next_timer, a.worker)
            for a in appends
        ]
        fitting = {id_: (run, mail) for id_, run, mail in tx.rows("go_on_with_runs", going_on)}
    asked = [
        (
            a.run_id, a.fence, a.expected, len(a.events), a.at, a.seen,
            None if a.end else a.next_timer, None if a.end or a.release else a.worker, a.bundle,
            a.python, a.end, a.output if a.end else None, a.error_code if a.end else None, now,
        )
        for a in appends
        if a.run_id not in fitting
    ]  # fmt: skip
    fitting |= {run_id: (run, mail) for run_id, run, mail in tx.rows("append_runs", asked)}
    done = [(fitting[a.run_id][0], a) for a in appends if a.run_id in fitting]
    tx.rows(
        "add_events",
        [
            (run, seq, e.type, e.at, e.ref, e.name, e.payload, e.meta)
            for run, a in done
            for seq, e in enumerate(a.events, a.expected + 1)
        ],
    )
    tx.rows("eat_letters", [(run, n) for run, a in done for n in a.eat])
    tx.rows("drop_tasks", [(run, step) for run, a in done for step in a.drop_tasks])
    tx.rows("add_tasks", _tasks((run, task) for run, a in done for task in a.add_tasks))
    ended = [(run,) for run, a in done if a.end]
    tx.rows("drop_tasks_of_runs", ended)
    tx.rows("close_hooks_of_runs", ended)
    return [
        Appended(ok=True, head=a.expected + len(a.events), mail=fitting[a.run_id][1])
        if a.run_id in fitting
        else None
        for a in appends
    ]


def _goes_on(append: Append) -> bool:
    """Whether an append may leave its run as it is but for its log."""
    return append.expected > 1 and not (
        append.end or append.release or append.eat or append.bundle or append.python
    )

"""A group of operations as one transaction of few statements.

Every operation first says what it wants to know (`Wants`). One round trip locks the runs in the
order of their ids and reads all of it. The operations then work on these rows in memory, one after
the other, with the same rules as in the other worlds, and what they changed is written back in one
more round trip, one statement for each table, together with the commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any

from psycopg import Connection, Cursor

from workflow.worlds.postgres.arrays import Blobs, Ints, Texts
from workflow.worlds.postgres.calls import bound, is_call
from workflow.worlds.rules import batch as rules
from workflow.worlds.rules.batch import Holder, Row, Stream, TaskRow, Wants

__all__ = ["Batch"]

Execute = Callable[[str, Mapping[str, Any]], Cursor[Any]]


class Batch(rules.Batch):
    """The rows a group works on, read from and written to PostgreSQL."""

    # -- reading ---------------------------------------------------------------------------

    def lock(
        self, connection: Connection[Any], execute: Execute, wants: Wants, setting: bytes | None
    ) -> None:
        """Begin the transaction, with a setting of its own; lock and read what is wanted."""
        found: dict[str, Cursor[Any]] = {}

        def ask(name: str, **values: Any) -> None:
            found[name] = execute(name, values)

        with connection.pipeline():
            connection.execute("begin")
            if setting is not None:
                connection.execute(setting)
            if names := wants.names:
                ask("lock_names", names=Texts(names))
            runs = Texts(sorted(wants.runs.union(wants.new_runs)))
            if wants.children or wants.tokens:
                children, tokens = Texts(wants.children), Texts(wants.tokens)
                ask("lock_related", runs=runs, children=children, tokens=tokens)
            else:
                ask("lock_runs", runs=runs)
            if holding := wants.tokens | wants.open_tokens:
                ask("find_hooks", tokens=Texts(holding))
            if wants.keys:
                workflows, keys = zip(*wants.keys, strict=True)
                ask("find_keys", workflows=Texts(workflows), keys=Texts(keys))
            if wants.letter_keys:
                ids, dedupes = zip(*wants.letter_keys, strict=True)
                ask("find_letter_keys", runs=Texts(ids), dedupes=Texts(dedupes))
            if wants.token_letter_keys:
                used, dedupes = zip(*wants.token_letter_keys, strict=True)
                ask("find_token_letter_keys", tokens=Texts(used), dedupes=Texts(dedupes))
            if wants.tasks:
                ids, steps = zip(*wants.tasks, strict=True)
                ask("lock_tasks", runs=Texts(ids), steps=Texts(steps))
            if wants.last_events:
                ask("last_events", runs=Texts(wants.last_events))
            if wants.streams:
                ids, names_ = zip(*wants.streams, strict=True)
                ask("find_streams", runs=Texts(ids), names=Texts(names_))
                ask("new_stream_ids", count=len(wants.streams))
            if wants.new_runs:
                ask("new_run_ids", count=len(wants.new_runs))
        for name, cursor in found.items():
            getattr(self, f"_{name}")(cursor)

    def _lock_names(self, cursor: Cursor[Any]) -> None:
        pass

    def _lock_runs(self, cursor: Cursor[Any]) -> None:
        for values in cursor:
            row = Row(*values)
            self.rows[row.run_id] = row

    _lock_related = _lock_runs

    def _find_hooks(self, cursor: Cursor[Any]) -> None:
        self.hooks = {token: Holder(run_id, hook_id) for token, run_id, hook_id in cursor}

    def _find_keys(self, cursor: Cursor[Any]) -> None:
        self.keys = {(workflow, key): run_id for workflow, key, run_id in cursor}

    def _find_letter_keys(self, cursor: Cursor[Any]) -> None:
        self.letter_keys.update({(run_id, key): in_time for run_id, key, in_time in cursor})

    _find_token_letter_keys = _find_letter_keys

    def _lock_tasks(self, cursor: Cursor[Any]) -> None:
        for id_, run_id, step_id, owner, attempt in cursor:
            self.tasks[run_id, step_id] = TaskRow(id_, owner, attempt)

    def _last_events(self, cursor: Cursor[Any]) -> None:
        self.last_events = dict(cursor)

    def _find_streams(self, cursor: Cursor[Any]) -> None:
        for id_, run_id, name, next_, closed in cursor:
            run = self.rows[run_id].id
            self.streams[run_id, name] = Stream(id_, run, name, next_, closed)

    def _new_stream_ids(self, cursor: Cursor[Any]) -> None:
        self.stream_ids = [id_ for (id_,) in cursor]

    def _new_run_ids(self, cursor: Cursor[Any]) -> None:
        self.run_ids = [id_ for (id_,) in cursor]

    # -- writing ---------------------------------------------------------------------------

    def write(self, execute: Execute) -> None:
        """Write everything that has changed, table by table, in an order all writers share."""
        rows = self.rows.values()
        if new := [row for row in rows if row.is_new]:
            new.sort(key=lambda row: row.run_id)
            execute("add_runs", _run_columns(new, _RUN_COLUMNS))
        deep = [row for row in rows if row.deep and not row.is_new]
        if deep:
            execute("save_rest_of_runs", _run_columns(deep, _DEEP_COLUMNS))
        if flat := [row for row in rows if row.changed and not row.is_new and not row.deep]:
            execute("save_runs", _run_columns(flat, _FLAT_COLUMNS))
        self._write_events(execute)
        self._write_mail(execute)
        self._write_tasks(execute)
        self._write_hooks(execute)
        self._write_streams(execute)

    def _write_events(self, execute: Execute) -> None:
        if not self.events:
            return
        events = [event for _, _, event in self.events]
        execute(
            "add_events",
            {
                "run": Ints(run for run, _, _ in self.events),
                "seq": Ints(seq for _, seq, _ in self.events),
                "type": Texts(e.type for e in events),
                "at": Ints(e.at for e in events),
                "ref": Texts(e.ref for e in events),
                "name": Texts(e.name for e in events),
                "payload": Blobs(e.payload for e in events),
                "meta": Blobs(e.meta for e in events),
            },
        )

    def _write_mail(self, execute: Execute) -> None:
        _insert(execute, "eat_letters", self.eaten, {"run": Ints, "n": Ints})
        _insert(execute, "add_letters", self.letters, _LETTER_COLUMNS)
        columns = {"run": Ints, "dedupe": Texts, "in_time": Ints}
        _insert(execute, "add_letter_keys", sorted(self.new_letter_keys), columns)
        if called := {run for run, key, _ in self.new_letter_keys if is_call(key)}:
            before = {"run": Ints(sorted(called)), "before": bound(self.now)}
            execute("forget_calls", before)

    def _write_tasks(self, execute: Execute) -> None:
        if self.finished_tasks:
            execute("finish_tasks", {"id": Ints(sorted(self.finished_tasks))})
        retry = {"id": Ints, "run_at": Ints, "error": Blobs, "uncount": Ints}
        _insert(execute, "retry_tasks", sorted(self.retried_tasks, key=lambda t: t[0]), retry)
        _insert(execute, "drop_tasks", sorted(self.dropped_tasks), {"run": Ints, "step_id": Texts})
        added = [
            (run, t.step_id, t.name, t.payload, t.attempt, t.run_at, t.created_at, t.error, t.meta)
            for run, t in self.added_tasks
        ]
        _insert(execute, "add_tasks", added, _TASK_COLUMNS)
        if self.ended:
            execute("drop_tasks_of_runs", {"run": Ints(self.ended)})
        if self.resumed:
            execute("offer_tasks", {"run": Ints(sorted(self.resumed)), "now": self.now})

    def _write_hooks(self, execute: Execute) -> None:
        columns = {"run": Ints, "hook_id": Texts}
        _insert(execute, "close_hooks", sorted(self.closed_hooks), columns)
        if self.ended:
            execute("close_hooks_of_runs", {"run": Ints(self.ended)})
        _insert(execute, "add_hooks", list(self.new_hooks.values()), _HOOK_COLUMNS)

    def _write_streams(self, execute: Execute) -> None:
        used = sorted(self.used_streams.values(), key=lambda s: s.id)
        rows = [(s.id, s.run, s.name, s.next, s.closed) for s in used]
        columns = {"id": Ints, "run": Ints, "name": Texts, "next": Ints, "closed": Ints}
        _insert(execute, "save_streams", rows, columns)
        chunk = {"stream": Ints, "i": Ints, "step_id": Texts, "attempt": Ints, "data": Blobs}
        _insert(execute, "add_chunks", self.chunks, chunk)


_Column = Callable[[Iterable[Any]], Any]

_LETTER_COLUMNS: Mapping[str, _Column] = {
    "run": Ints, "n": Ints, "kind": Texts, "ref": Texts, "name": Texts, "payload": Blobs,
    "meta": Blobs, "at": Ints, "dedupe": Texts,
}  # fmt: skip
_TASK_COLUMNS: Mapping[str, _Column] = {
    "run": Ints, "step_id": Texts, "name": Texts, "payload": Blobs, "attempt": Ints,
    "run_at": Ints, "created_at": Ints, "error": Blobs, "meta": Blobs,
}  # fmt: skip
_HOOK_COLUMNS: Mapping[str, _Column] = {
    "token": Texts, "run": Ints, "hook_id": Texts, "created_at": Ints, "webhook": Ints,
    "metadata": Blobs, "meta": Blobs,
}  # fmt: skip

_FLAT_COLUMNS = (
    "id", "head", "mail", "seen", "mailed_at", "next_timer", "owner", "fence", "claims",
)  # fmt: skip
_DEEP_COLUMNS = (
    *_FLAT_COLUMNS, "status", "started_at", "completed_at", "output", "error_code", "bundle",
    "python", "attributes", "parked",
)  # fmt: skip
_RUN_COLUMNS = (
    *_DEEP_COLUMNS, "run_id", "workflow", "created_at", "key", "parent_run", "parent_ref",
)  # fmt: skip
_BLOBS = {"output"}
_TEXTS = {f.name for f in fields(Row) if "str" in str(f.type)}


def _run_columns(rows: list[Row], names: Iterable[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in names:
        column: _Column = Texts if name in _TEXTS else Blobs if name in _BLOBS else Ints
        found[name] = column([getattr(row, name) for row in rows])
    return found


def _insert(execute: Execute, query: str, rows: list[Any], columns: Mapping[str, _Column]) -> None:
    if rows:
        values = zip(columns.items(), zip(*rows, strict=True), strict=True)
        execute(query, {name: column(of) for (name, column), of in values})

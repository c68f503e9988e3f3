"""The port over SQLite: writes go through the writer thread, reads through a second connection."""

from __future__ import annotations

import asyncio
import os
import secrets
import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workflow.errors import WorkflowRunNotFoundError, WorldError
from workflow.world.port import Clock
from workflow.world.records import (
    Append,
    Appended,
    Chunk,
    ChunkPage,
    ChunkWrite,
    Claimed,
    Created,
    Event,
    Finish,
    HookRecord,
    Letter,
    Loaded,
    Micros,
    NewEvent,
    NewRun,
    Page,
    Parked,
    Posted,
    RunFilter,
    RunRecord,
    Task,
    WorkerRecord,
)
from workflow.worlds.changes import Changes
from workflow.worlds.clock import SystemClock
from workflow.worlds.cursor import cursor_of, read_cursor
from workflow.worlds.local import runs, work
from workflow.worlds.local.leases import LifeSigns
from workflow.worlds.local.rows import (
    event_record,
    hook_record,
    letter_record,
    run_record,
    task_record,
)
from workflow.worlds.local.store import SideLock, Tx, connect, explain, migrate
from workflow.worlds.local.writer import Writer

__all__ = ["LocalWorld"]


# What a fork brought along is never closed: SQLite's locks and files belong to the parent.
_inherited: list[object] = []


@dataclass(frozen=True, slots=True)
class _Files:
    """Everything an open world holds."""

    connection: sqlite3.Connection
    reader: sqlite3.Connection
    lock: SideLock
    life: LifeSigns
    writer: Writer
    pid: int


class LocalWorld:
    """A `World` in one folder. Usable from several event loops and threads, not across a fork."""

    name = "local"

    def __init__(self, data_dir: Path, clock: Clock | None = None) -> None:
        self.data_dir = data_dir.absolute()
        self._path = self.data_dir / "workflow.db"
        self._clock = clock or SystemClock()
        self._changes = Changes(self._clock)
        self._reading = threading.Lock()
        self._opening = threading.Lock()
        self._files: _Files | None = None

    async def open(self) -> None:
        await asyncio.to_thread(self._open)
        await self._open_files().writer.run(self._free_lost)

    def _open(self) -> None:
        with self._opening, explain(self._path):
            if self._files is not None:
                return
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.data_dir / ".gitignore").write_text("*\n")  # it holds keys and payloads
            with ExitStack() as undo:
                lock = SideLock(self.data_dir / "workflow.lock")
                undo.callback(lock.close)
                with lock:
                    connection = connect(self._path, write=True)
                    undo.callback(connection.close)
                    migrate(connection, self._path)
                reader = connect(self._path, write=False)
                undo.callback(reader.close)
                life = LifeSigns(self.data_dir / "workers")
                writer = Writer(
                    self._path,
                    connection,
                    lock,
                    self._clock,
                    self._changes,
                    self.data_dir / "wake",
                )
                self._files = _Files(connection, reader, lock, life, writer, os.getpid())
                undo.pop_all()

    async def close(self) -> None:
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        with self._opening:
            files, self._files = self._files, None
            if files is None:
                return
            if files.pid != os.getpid():
                _inherited.append(files)
                return
            files.writer.close()
            with self._reading:
                files.reader.close()
            files.connection.close()
            files.life.close()
            files.lock.close()
        self._changes.bump()

    def now(self) -> Micros:
        return self._clock.now()

    def _open_files(self) -> _Files:
        if self._files is None:
            raise WorldError(f"{self._path} is not open; call `await world.open()` first")
        if self._files.pid != os.getpid():
            raise WorldError(
                f"{self._path} was opened before this process was forked; "
                "open a world of its own in the child"
            )
        return self._files

    @property
    def _writer(self) -> Writer:
        return self._open_files().writer

    @contextmanager
    def _snapshot(self) -> Iterator[Tx]:
        """A short read transaction. Never await inside: an open one pins the log file."""
        reader = self._open_files().reader
        with explain(self._path), self._reading:
            reader.execute("begin")
            try:
                yield Tx(reader, self._clock)
            finally:
                reader.execute("rollback")

    # -- runs ------------------------------------------------------------------------------

    async def create(self, run: NewRun) -> Created:
        return await self._writer.run(lambda tx: runs.create(tx, run))

    async def post(self, run_id: str, letter: Letter) -> Posted:
        return await self._writer.run(lambda tx: runs.deliver(tx, run_id, letter))

    async def post_to_token(self, token: str, letter: Letter) -> Posted:
        return await self._writer.run(lambda tx: runs.deliver_to_token(tx, token, letter))

    async def claim_runs(self, worker: str, limit: int) -> Claimed:
        with self._snapshot() as tx:
            if not tx.all("due_runs", now=tx.now, limit=min(limit, 1)):
                return work.look(tx, worker)  # most looks find nothing, and cost no commit
        return await self._writer.run(lambda tx: work.claim_runs(tx, worker, limit))

    async def load(self, run_id: str, *, after: int = 0, limit: int = 256) -> Loaded:
        with self._snapshot() as tx:
            row = tx.one("run_record", run_id=run_id)
            if row is None:
                raise WorkflowRunNotFoundError(run_id)
            events = tx.all("list_events", run_id=run_id, after=after, limit=-1)
            letters = tx.all("list_letters", run_id=run_id, limit=limit)
            return Loaded(
                run=run_record(row),
                events=tuple(map(event_record, events)),
                letters=tuple(map(letter_record, letters)),
                tasks=frozenset(step for (step,) in tx.all("task_steps", run_id=run_id)),
                lettered=frozenset(ref for (ref,) in tx.all("lettered_steps", run_id=run_id)),
                now=tx.now,
            )

    async def append(self, append: Append) -> Appended:
        return await self._writer.run(lambda tx: runs.append(tx, append))

    async def park(self, run_id: str, worker: str, fence: int, parked: Parked) -> bool:
        return await self._writer.run(lambda tx: runs.park(tx, run_id, fence, parked))

    async def unpark(self, run_id: str, *, bundle: str | None = None) -> bool:
        return await self._writer.run(lambda tx: runs.unpark(tx, run_id, bundle))

    async def terminate(self, run_id: str, event: NewEvent, output: bytes, code: str) -> bool:
        return await self._writer.run(lambda tx: runs.terminate(tx, run_id, event, output, code))

    # -- tasks -----------------------------------------------------------------------------

    async def claim_tasks(
        self, worker: str, limit: int, names: Collection[str]
    ) -> tuple[Task, ...]:
        known = msgspec.json.encode(list(names)).decode()
        with self._snapshot() as tx:
            if not tx.all("due_tasks", now=tx.now, names=known, limit=min(limit, 1)):
                return ()
        return await self._writer.run(lambda tx: work.claim_tasks(tx, worker, limit, names))

    async def finish_tasks(self, finishes: Sequence[Finish]) -> tuple[bool, ...]:
        return await self._writer.run(lambda tx: work.finish(tx, finishes))

    # -- workers ---------------------------------------------------------------------------

    async def beat(self, worker: WorkerRecord) -> int:
        life = self._open_files().life

        def renew(tx: Tx) -> int:
            life.show(worker.worker)
            work.renew(tx, worker)
            return work.free_lost(tx, life.is_dead)

        return await self._writer.run(renew)

    def _free_lost(self, tx: Tx) -> int:
        life = self._open_files().life
        freed = work.free_lost(tx, life.is_dead)
        life.sweep()
        return freed

    async def leave(self, worker: str) -> None:
        await self._writer.run(lambda tx: work.leave(tx, worker))
        self._open_files().life.hide(worker)

    # -- streams ---------------------------------------------------------------------------

    async def write_chunks(self, write: ChunkWrite) -> int | None:
        return await self._writer.run(lambda tx: work.write_chunks(tx, write))

    async def read_chunks(self, run_id: str, stream: str, start: int, limit: int) -> ChunkPage:
        with self._snapshot() as tx:
            run = tx.one("run_row", run_id=run_id)
            if run is None:
                raise WorkflowRunNotFoundError(run_id)
            row = tx.one("get_stream", run_id=run_id, stream=stream)
            if row is None:
                return ChunkPage(chunks=(), next=0, closed=not run["is_open"])
            chunks = tx.all("list_chunks", stream=row["id"], start=start, limit=limit)
            return ChunkPage(
                chunks=tuple(Chunk(**dict(chunk)) for chunk in chunks),
                next=row["next"],
                closed=bool(row["closed"]) or not run["is_open"],
            )

    async def list_streams(self, run_id: str) -> tuple[str, ...]:
        with self._snapshot() as tx:
            return tuple(name for (name,) in tx.all("list_streams", run_id=run_id))

    # -- bundles and secrets ---------------------------------------------------------------

    async def put_bundle(self, bundle: str, source: bytes) -> None:
        await self._writer.run(lambda tx: tx.do("add_bundle", bundle=bundle, source=source))

    async def get_bundle(self, bundle: str) -> bytes | None:
        with self._snapshot() as tx:
            row = tx.one("get_bundle", bundle=bundle)
            return None if row is None else row["source"]

    async def secret(self, name: str) -> bytes:
        with self._snapshot() as tx:
            row = tx.one("get_secret", name=name)
        if row is None:

            def make(tx: Tx) -> sqlite3.Row | None:
                tx.do("add_secret", name=name, value=secrets.token_bytes(32))
                return tx.one("get_secret", name=name)

            row = await self._writer.run(make)
        assert row is not None
        value: bytes = row["value"]
        return value

    # -- reads -----------------------------------------------------------------------------

    async def get_run(self, run_id: str) -> RunRecord | None:
        with self._snapshot() as tx:
            row = tx.one("run_record", run_id=run_id)
            return None if row is None else run_record(row)

    async def list_runs(
        self, where: RunFilter, *, limit: int = 50, cursor: str | None = None
    ) -> Page:
        at, run_id = (None, None) if cursor is None else read_cursor(cursor)
        attributes = msgspec.json.encode(where.attributes).decode()
        asked = {**msgspec.structs.asdict(where), "attributes": attributes}
        with self._snapshot() as tx:
            rows = tx.all("list_runs", **asked, limit=limit, cursor_at=at, cursor_id=run_id)
        items = tuple(run_record(row) for row in rows[:limit])
        more = len(rows) > limit and len(items) > 0
        return Page(items=items, cursor=cursor_of(items[-1]) if more else None)

    async def list_events(
        self, run_id: str, *, after: int = 0, limit: int = 1000
    ) -> tuple[Event, ...]:
        with self._snapshot() as tx:
            rows = tx.all("list_events", run_id=run_id, after=after, limit=limit)
            return tuple(map(event_record, rows))

    async def list_tasks(self, run_id: str) -> tuple[Task, ...]:
        with self._snapshot() as tx:
            return tuple(map(task_record, tx.all("list_tasks", run_id=run_id)))

    async def list_letters(self, run_id: str) -> tuple[Letter, ...]:
        with self._snapshot() as tx:
            rows = tx.all("list_letters", run_id=run_id, limit=-1)
            return tuple(map(letter_record, rows))

    async def list_hooks(self, run_id: str | None = None) -> tuple[HookRecord, ...]:
        with self._snapshot() as tx:
            return tuple(map(hook_record, tx.all("list_hooks", run_id=run_id)))

    async def get_hook(self, token: str) -> HookRecord | None:
        with self._snapshot() as tx:
            row = tx.one("get_hook", token=token)
            return None if row is None else hook_record(row)

    # -- waiting ---------------------------------------------------------------------------

    async def wait_for_change(self, seen: int, until: Micros | None) -> int:
        return await self._changes.wait(seen, until)

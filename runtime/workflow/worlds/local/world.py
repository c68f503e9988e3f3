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
from workflow.policy.names import is_storable
from workflow.world.port import ENDED, Clock
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
    HookFilter,
    HookPage,
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
    Status,
    Task,
    WorkerRecord,
)
from workflow.worlds.changes import Changes
from workflow.worlds.clock import SystemClock
from workflow.worlds.cursor import cursor_of, read_cursor
from workflow.worlds.hook_pages import page, query
from workflow.worlds.local import retention, work
from workflow.worlds.local.leases import LifeSigns
from workflow.worlds.local.reads import MOST_LETTERS, Together, load_runs, read_runs
from workflow.worlds.local.rows import (
    event_record,
    hook_record,
    letter_record,
    run_record,
    task_record,
)
from workflow.worlds.local.side_lock import SideLock
from workflow.worlds.local.store import Tx, connect, explain, migrate
from workflow.worlds.local.writer import Writer
from workflow.worlds.rules.quiet import Quiet
from workflow.worlds.rules.runs import (
    Appending,
    Creating,
    Parking,
    Posting,
    Terminating,
    Unparking,
)
from workflow.worlds.rules.silence import Silence
from workflow.worlds.rules.streams import is_closed
from workflow.worlds.rules.work import Chunking, Finishing

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
    quiet: Quiet
    pid: int


class LocalWorld:
    """A `World` in one folder. Usable from several event loops and threads, not across a fork."""

    name = "local"

    def __init__(self, data_dir: Path, clock: Clock | None = None) -> None:
        self.data_dir = data_dir.absolute()
        self._path = self.data_dir / "workflow.db"
        self._clock = clock or SystemClock()
        self._changes = Changes(self._clock)
        self._silence = Silence()
        self._reading = threading.Lock()
        self._opening = threading.Lock()
        self._files: _Files | None = None
        self._loads = Together(self._snapshot, load_runs)
        self._looks = Together(self._snapshot, read_runs)

    async def open(self) -> None:
        begun = await asyncio.to_thread(self._open)
        try:
            await self._open_files().writer.run(self._free_lost)
        except BaseException:
            if begun:
                await asyncio.to_thread(self._close)
            raise

    def _open(self) -> bool:
        """Open the files. False when they are open already."""
        with self._opening, explain(self._path):
            if self._files is not None:
                return False
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not any(self.data_dir.iterdir()):  # else it may be a folder of other things, too
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
                quiet = Quiet(lambda: lock.news)
                self._files = _Files(connection, reader, lock, life, writer, quiet, os.getpid())
                undo.pop_all()
        return True

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
        created: Created = await self._writer.apply(Creating(run))
        return created

    async def post(self, run_id: str, letter: Letter) -> Posted:
        posted: Posted = await self._writer.apply(Posting(run_id, letter))
        return posted

    async def post_to_token(self, token: str, letter: Letter) -> Posted:
        posted: Posted = await self._writer.apply(Posting(token, letter, by_token=True))
        return posted

    async def claim_runs(self, worker: str, limit: int) -> Claimed:
        quiet, who, now = self._open_files().quiet, ("runs", worker), self.now()
        if quiet.holds(who, now):
            return Claimed(next_due=quiet.next_due(who))
        news = quiet.news
        with self._snapshot() as tx:  # most looks find nothing, and cost no commit
            there = tx.all("due_runs", now=now, limit=min(limit, 1))
            claimed = work.look(tx, worker, now)
        if there:
            claimed = await self._writer.run(
                lambda tx: work.claim_runs(tx, worker, limit), gives_work=False
            )
        if len(claimed.runs) < limit and not claimed.look and not claimed.more:
            quiet.found_nothing_more(who, news, claimed.next_due)
        return claimed

    async def load(self, run_id: str, *, after: int = 0, limit: int = MOST_LETTERS) -> Loaded:
        if not is_storable(run_id):  # it would fail for all who ask at the same time
            raise WorkflowRunNotFoundError(run_id)
        if limit <= MOST_LETTERS:
            return await self._loads.ask((run_id, after, limit))
        with self._snapshot() as tx:
            (loaded,) = load_runs(tx, [(run_id, after, limit)])
            if isinstance(loaded, Exception):
                raise loaded
            letters = tx.all("list_letters", run_id=run_id, limit=limit)
            return msgspec.structs.replace(loaded, letters=tuple(map(letter_record, letters)))

    async def append(self, append: Append) -> Appended:
        appended: Appended = await self._writer.apply(Appending(append))
        return appended

    async def park(self, run_id: str, worker: str, fence: int, parked: Parked) -> bool:
        done: bool = await self._writer.apply(Parking(run_id, fence, parked))
        return done

    async def unpark(self, run_id: str, *, bundle: str | None = None) -> bool:
        done: bool = await self._writer.apply(Unparking(run_id, bundle))
        return done

    async def terminate(self, run_id: str, event: NewEvent, output: bytes, code: str) -> bool:
        done: bool = await self._writer.apply(Terminating(run_id, event, output, code))
        return done

    # -- tasks -----------------------------------------------------------------------------

    async def claim_tasks(
        self, worker: str, limit: int, names: Collection[str]
    ) -> tuple[Task, ...]:
        quiet, who, now = self._open_files().quiet, ("tasks", worker, frozenset(names)), self.now()
        if quiet.holds(who, now):
            return ()
        news = quiet.news
        with self._snapshot() as tx:
            known = msgspec.json.encode(list(names)).decode()
            there = tx.all("due_tasks", now=now, names=known, limit=min(limit, 1))
            next_due = work.next_task(tx, now)
            watched = work.watched_until(tx, worker, now)
        if watched is not None:
            quiet.found_nothing_more(who, news, watched)
            return ()
        tasks: tuple[Task, ...] = ()
        more = False
        if there:
            tasks, more = await self._writer.run(
                lambda tx: work.claim_tasks(tx, worker, limit, names), gives_work=False
            )
        if more:
            quiet.end()  # the next look for runs has to say until when this worker waits
        elif len(tasks) < limit:
            quiet.found_nothing_more(who, news, next_due)
        return tasks

    async def list_unclaimed(self, names: Collection[str], *, limit: int = 100) -> tuple[Task, ...]:
        with self._snapshot() as tx:
            known = msgspec.json.encode(list(names)).decode()
            rows = tx.all("unclaimed_tasks", now=tx.now, names=known, limit=limit)
            return tuple(map(task_record, rows))

    async def finish_tasks(self, finishes: Sequence[Finish]) -> tuple[bool, ...]:
        done: tuple[bool, ...] = await self._writer.apply(Finishing(finishes))
        return done

    # -- workers ---------------------------------------------------------------------------

    async def beat(self, worker: WorkerRecord) -> int:
        life = self._open_files().life

        def renew(tx: Tx) -> int:
            life.show(worker.worker)
            work.renew(tx, worker)
            return work.free_lost(tx, life.is_dead, self._silence.ended_by(worker, tx.now))

        return await self._writer.run(renew)

    def _free_lost(self, tx: Tx) -> int:
        life = self._open_files().life
        freed = work.free_lost(tx, life.is_dead, tx.now)
        life.sweep({row["worker"] for row in tx.all("list_workers")})
        return freed

    async def list_workers(self) -> tuple[WorkerRecord, ...]:
        life = self._open_files().life
        with self._snapshot() as tx:
            found = [WorkerRecord(**dict(row)) for row in tx.all("list_workers")]
            now = tx.now
        return tuple(w for w in found if w.lease_until > now and not life.is_dead(w.worker))

    async def leave(self, worker: str) -> None:
        await self._writer.run(lambda tx: work.leave(tx, worker))
        self._open_files().life.hide(worker)

    # -- streams ---------------------------------------------------------------------------

    async def write_chunks(self, write: ChunkWrite) -> int | None:
        first: int | None = await self._writer.apply(Chunking(write))
        return first

    async def read_chunks(self, run_id: str, stream: str, start: int, limit: int) -> ChunkPage:
        with self._snapshot() as tx:
            run = tx.one("run_row", run_id=run_id) if is_storable(run_id) else None
            if run is None:
                raise WorkflowRunNotFoundError(run_id)
            row = tx.one("get_stream", run_id=run_id, stream=stream)
            if row is None:
                closed, cut = is_closed(stream, run["status"], exists=False, closed=False)
                return ChunkPage(chunks=(), next=0, closed=closed, cut=cut)
            closed, cut = is_closed(stream, run["status"], exists=True, closed=bool(row["closed"]))
            chunks = tx.all("list_chunks", stream=row["id"], start=start, limit=limit)
            return ChunkPage(
                chunks=tuple(Chunk(**dict(chunk)) for chunk in chunks),
                next=row["next"],
                closed=closed,
                cut=cut,
            )

    async def list_streams(self, run_id: str) -> tuple[str, ...]:
        with self._snapshot() as tx:
            return tuple(name for (name,) in tx.all("list_streams", run_id=run_id))

    # -- bundles and secrets ---------------------------------------------------------------

    async def put_bundle(self, bundle: str, source: bytes) -> None:
        await self._writer.run(
            lambda tx: tx.do("add_bundle", bundle=bundle, source=source, now=tx.now)
        )

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
        # What SQLite refuses would fail for all who ask at the same time.
        return await self._looks.ask(run_id) if is_storable(run_id) else None

    async def list_runs(
        self, where: RunFilter, *, limit: int = 50, cursor: str | None = None
    ) -> Page:
        at, run_id = (None, None) if cursor is None else read_cursor(cursor)
        asked = msgspec.structs.asdict(where)
        with self._snapshot() as tx:
            asked["attributes"] = msgspec.json.encode(where.attributes).decode()
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

    async def find_hooks(
        self, where: HookFilter, *, limit: int = 50, cursor: str | None = None
    ) -> HookPage:
        asked = query(where, limit, cursor)
        with self._snapshot() as tx:
            return page(map(hook_record, tx.all("page_of_hooks", **asked)), limit)

    async def get_hook(self, token: str) -> HookRecord | None:
        with self._snapshot() as tx:
            row = tx.one("get_hook", token=token)
            return None if row is None else hook_record(row)

    async def prune(
        self,
        before: Micros,
        statuses: Collection[Status] = ENDED,
        limit: int = 1000,
        *,
        dry_run: bool = False,
    ) -> tuple[str, ...]:
        wanted = list(statuses)
        if dry_run:
            with self._snapshot() as tx:
                found = retention.old_runs(tx, before, wanted, limit)
            return tuple(run_id for _, run_id in found)
        return await self._writer.run(
            lambda tx: retention.prune(tx, before, wanted, limit), gives_work=False
        )

    async def prune_bundles(self, before: Micros, *, dry_run: bool = False) -> tuple[str, ...]:
        with self._snapshot() as tx:  # looks at every run, and nobody waits for it
            found = retention.free_bundles(tx, before)
        if dry_run or not found:
            return found
        return await self._writer.run(
            lambda tx: retention.delete_bundles(tx, found, before), gives_work=False
        )

    async def backup(self, target: Path) -> None:
        """Copy the database into a new file, as of one moment, while everybody goes on writing.

        `target` must not exist; it appears when it is complete. Raises WorldError.
        """
        writer = self._writer

        def copy() -> None:
            writer.check_kept()
            with explain(self._path):
                connection = connect(self._path, write=True)
            try:
                retention.copy_to(connection, target.absolute())
            finally:
                connection.close()

        await asyncio.to_thread(copy)

    # -- waiting ---------------------------------------------------------------------------

    async def wait_for_change(self, seen: int, until: Micros | None, *, work: bool = False) -> int:
        return await self._changes.wait(seen, until, work=work)

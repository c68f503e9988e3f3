"""The port over PostgreSQL.

One connection appends, a few read and claim, one beats and one listens.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

import msgspec

from workflow.errors import WorkflowRunNotFoundError, WorldError
from workflow.policy.names import is_storable
from workflow.world.port import ENDED, Clock
from workflow.world.records import (
    Append,
    Appended,
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
from workflow.worlds.cursor import cursor_of, read_cursor
from workflow.worlds.hook_pages import page, query
from workflow.worlds.postgres import calls, claims, outside, rows
from workflow.worlds.postgres.arrays import Texts
from workflow.worlds.postgres.clock import ServerClock
from workflow.worlds.postgres.gathering import Asked, Gathering, load_runs, run_records
from workflow.worlds.postgres.listener import Listener
from workflow.worlds.postgres.prune import prune, prune_bundles
from workflow.worlds.postgres.sessions import Heart, Pool, Session
from workflow.worlds.postgres.store import Database
from workflow.worlds.postgres.streams import READERS, AskedChunks, read_streams
from workflow.worlds.postgres.writer import UnknownOutcome, Writer
from workflow.worlds.rules.batch import Operation
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
from workflow.worlds.rules.work import Chunking, Finishing

__all__ = ["PostgresWorld"]

_T = TypeVar("_T")

log = logging.getLogger("workflow.world")

_POOLER = (
    "%s is reached through a pooler. It is taken for one that hands connections out by "
    "transaction: nothing is prepared, and the work of other processes is noticed four times a "
    "second. Set WORKFLOW_POSTGRES_POOLER=transaction if that is so, or session if each client "
    "keeps a connection of its own, which is faster"
)

# Seconds between the tries to find out what became of a commit: as long as a restart may take.
_SETTLING = (0.05, 0.2, 0.5, 1.0, 2.0)

# Letters that mean the same when they come twice.
_HARMLESS_TWICE = {"nudge", "cancel"}


@dataclass(frozen=True, slots=True)
class _Open:
    """Everything an open world holds."""

    pool: Pool
    records: Gathering[str, RunRecord | None]
    loads: Gathering[Asked, Loaded | None]
    chunks: Gathering[AskedChunks, ChunkPage | None]
    heart: Heart
    writer: Writer
    listener: Listener
    pid: int


class PostgresWorld:
    """A `World` in one schema of a database. Usable from several event loops and threads, not
    across a fork."""

    name = "postgres"
    worker_concurrency = 10  # step bodies at a time in a worker, if nothing is set

    def __init__(
        self, database: Database, clock: Clock | None = None, *, pool_size: int = 4
    ) -> None:
        self.database = database
        self._server_clock = ServerClock() if clock is None else None
        self._clock: Clock = clock or cast(ServerClock, self._server_clock)
        self._changes = Changes(self._clock)
        self._quiet = Quiet()
        self._silence = Silence()
        self._doubts = claims.Doubts()
        self._pool_size = pool_size
        self._opening = threading.Lock()
        self._state: _Open | None = None

    async def open(self) -> None:
        await asyncio.to_thread(self._open)

    def _open(self) -> None:
        with self._opening:
            if self._state is not None:
                return
            database = self.database
            with database.connect() as connection, database.explain():
                self.database = seen = database.as_seen(connection)
                if seen.pooled and not database.pooled:
                    log.warning(_POOLER, seen.place)
                seen.check(connection)
                if self._server_clock is not None:
                    self._server_clock.set_by(connection)
            database = self.database
            name = secrets.token_hex(8)
            pool = Pool(database, self._pool_size)
            listener = Listener(database, self._changes, self._quiet, name)
            self._state = _Open(
                pool,
                Gathering(pool, run_records),
                Gathering(pool, lambda session, asked: load_runs(session, asked, self._clock)),
                Gathering(pool, read_streams, group=READERS),
                Heart(database),
                Writer(database, self._clock, self._changes, self._quiet, listener.tell),
                listener,
                os.getpid(),
            )

    async def close(self) -> None:
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        with self._opening:
            state, self._state = self._state, None
            if state is None or state.pid != os.getpid():
                return  # the connections of a fork belong to its parent
            state.writer.close()
            state.listener.close()
            state.heart.close()
            state.pool.close()
        self._changes.bump()

    def now(self) -> Micros:
        return self._clock.now()

    @property
    def _opened(self) -> _Open:
        if self._state is None:
            raise WorldError("the world is closed; call `await world.open()` first")
        if self._state.pid != os.getpid():
            raise WorldError(
                "the world was opened before this process was forked; open a world of its own in "
                "the child"
            )
        return self._state

    async def _write(self, operation: Operation) -> Any:
        return await self._opened.writer.run(operation)

    async def _settled(self, operation: Operation) -> tuple[Any, bool]:
        """Run what may be run twice; its answer, and whether that is of a second time.

        A first commit that is still on its way holds the names and rows that the second one needs,
        so the second sees it or comes before it, in which case the first is refused.
        """
        try:
            return await self._write(operation), False
        except UnknownOutcome as error:
            unknown = error
        for delay in _SETTLING:
            await asyncio.sleep(delay)
            with contextlib.suppress(WorldError):
                return await self._write(operation), True
        raise unknown

    async def _read(self, work: Callable[[Session], _T]) -> _T:
        return await self._opened.pool.run(work)

    # -- runs ------------------------------------------------------------------------------

    async def create(self, run: NewRun) -> Created:
        created, again = await self._settled(Creating(run))
        if again and created.run_id == run.run_id:
            return Created(run_id=run.run_id, created=True)  # by the first try
        return cast(Created, created)

    async def create_on(self, connection: Any, run: NewRun) -> Created:
        """Create a run in the transaction of the caller's psycopg connection, async or not.

        The run exists when the caller commits, and never if it rolls back. Works without `open`.
        Commit soon: a start with the same idempotency key waits for it. Raises TypeError for
        another kind of connection, WorldError as always.
        """
        clock = self._server_clock
        now = self.now() if clock is None or clock.known else None
        return await outside.create_on(self.database, connection, run, now)

    async def post(self, run_id: str, letter: Letter) -> Posted:
        return await self._post(Posting(run_id, letter))

    async def post_to_token(self, token: str, letter: Letter) -> Posted:
        return await self._post(Posting(token, letter, by_token=True))

    async def _post(self, posting: Posting) -> Posted:
        letter = posting.letter
        if letter.dedupe is None and letter.kind not in _HARMLESS_TWICE:
            posting = replace(posting, call=calls.name(self.now()))
        posted, again = await self._settled(posting)
        if again and posted.outcome == "missing" and posting.by_token:
            # The first try may have closed the hook that it was for.
            raise UnknownOutcome(
                f"{self.database.place} was lost while it was committing, and nobody holds the "
                "token by now; whether the payload was taken before is not known"
            )
        if again and posted.outcome == "duplicate":  # of the first try
            return cast(Posted, msgspec.structs.replace(posted, outcome="posted"))
        return cast(Posted, posted)

    async def claim_runs(self, worker: str, limit: int) -> Claimed:
        who = ("runs", worker)
        news, now = self._quiet.news, self.now()
        if self._quiet.holds(who, now):
            self._opened  # noqa: B018 (raises when the world is closed)
            return Claimed(next_due=self._quiet.next_due(who))

        claimed = await self._read(lambda session: claims.claim_runs(session, worker, limit, now))
        if len(claimed.runs) < limit and not claimed.look and not claimed.more:
            self._quiet.found_nothing_more(who, news, claimed.next_due)
        if claimed.runs:
            self._changes.bump()
        if claimed.more:
            self._opened.listener.tell(soon=True)  # as for tasks
        return claimed

    async def load(self, run_id: str, *, after: int = 0, limit: int = 256) -> Loaded:
        loaded = None
        if is_storable(run_id):  # else it would fail for all who ask at the same time
            loaded = await self._opened.loads.ask(Asked(run_id, after, limit))
        if loaded is None:
            raise WorkflowRunNotFoundError(run_id)
        return loaded

    async def append(self, append: Append) -> Appended:
        appended: Appended = await self._write(Appending(append))
        return appended

    async def park(self, run_id: str, worker: str, fence: int, parked: Parked) -> bool:
        done: bool = await self._write(Parking(run_id, fence, parked))
        return done

    async def unpark(self, run_id: str, *, bundle: str | None = None) -> bool:
        done, again = await self._settled(Unparking(run_id, bundle))
        if again and not done:
            run = await self.get_run(run_id)
            return run is not None and run.completed_at is None  # the first try has done it
        return cast(bool, done)

    async def terminate(self, run_id: str, event: NewEvent, output: bytes, code: str) -> bool:
        done, again = await self._settled(Terminating(run_id, event, output, code))
        if again and not done:
            run = await self.get_run(run_id)  # ended; by the first try if it ended like this
            return run is not None and (run.error_code, run.output) == (code, output)
        return cast(bool, done)

    # -- tasks -----------------------------------------------------------------------------

    async def claim_tasks(
        self, worker: str, limit: int, names: Collection[str]
    ) -> tuple[Task, ...]:
        who = ("tasks", worker, frozenset(names))
        news, now, doubts = self._quiet.news, self.now(), self._doubts
        if self._quiet.holds(who, now) and not doubts.about(worker):
            self._opened  # noqa: B018 (raises when the world is closed)
            return ()
        tasks, next_due = await self._read(
            lambda session: claims.claim_tasks(session, worker, limit, names, now, doubts)
        )
        if next_due is not None and next_due <= now:
            self._quiet.end()  # the next look for runs has to say until when this worker waits
            # Others who looked just then found locked what is left for them.
            self._opened.listener.tell(soon=True)
        elif len(tasks) < limit and not doubts.about(worker):
            self._quiet.found_nothing_more(who, news, next_due)
        if tasks:
            self._changes.bump()
        return tasks

    async def list_unclaimed(self, names: Collection[str], *, limit: int = 100) -> tuple[Task, ...]:
        now = self.now()
        found = await self._read(
            lambda session: session.all("unclaimed_tasks", now=now, names=Texts(names), limit=limit)
        )
        return tuple(map(rows.task_record, found))

    async def finish_tasks(self, finishes: Sequence[Finish]) -> tuple[bool, ...]:
        done: tuple[bool, ...] = await self._write(Finishing(finishes))
        return done

    # -- workers ---------------------------------------------------------------------------

    async def beat(self, worker: WorkerRecord) -> int:
        opened = self._opened
        heart = opened.heart

        def renew(session: Session) -> None:
            # A crash of the server may lose the last ones. Waiting for its disk would cost more.
            session.connection.execute("set local synchronous_commit = off")
            if self._server_clock is not None:
                self._server_clock.set_by(session.connection)
            session.ask("renew_lease", **msgspec.structs.asdict(worker))

        def in_thread() -> int:
            # Two transactions: whatever freeing others meets, our own lease has been renewed.
            heart.run(renew)
            now = self.now()
            ended_by = self._silence.ended_by(worker, now)
            return heart.run(lambda session: claims.free_lost(session, now, ended_by))

        freed = await asyncio.to_thread(in_thread)
        if freed:
            self._quiet.end()
            self._changes.bump()
            opened.listener.tell(soon=True)  # it may be nothing for this worker
        return freed

    async def list_workers(self) -> tuple[WorkerRecord, ...]:
        found = await self._read(lambda session: session.all("live_workers", now=self.now()))
        return tuple(
            WorkerRecord(worker=worker, lease_until=until, registry=registry)
            for worker, until, registry in found
        )

    async def leave(self, worker: str) -> None:
        heart = self._opened.heart

        def free(session: Session) -> None:
            claims.free_of(session, worker, self.now())
            session.connection.execute(
                "select pg_notify(%s, '')", (self.database.channel,)
            )  # the others may take over at once

        await asyncio.to_thread(heart.run, free)
        self._quiet.end()
        self._changes.bump()

    # -- streams ---------------------------------------------------------------------------

    async def write_chunks(self, write: ChunkWrite) -> int | None:
        first: int | None = await self._write(Chunking(write))
        return first

    async def read_chunks(self, run_id: str, stream: str, start: int, limit: int) -> ChunkPage:
        if not is_storable(stream):
            raise WorldError(f"PostgreSQL can store no stream of the name {stream!r}")
        page = None
        if is_storable(run_id):
            page = await self._opened.chunks.ask(AskedChunks(run_id, stream, start, limit))
        if page is None:
            raise WorkflowRunNotFoundError(run_id)
        return page

    async def list_streams(self, run_id: str) -> tuple[str, ...]:
        found = await self._read(lambda session: session.all("list_streams", run_id=run_id))
        return tuple(name for (name,) in found)

    # -- bundles and secrets ---------------------------------------------------------------

    async def put_bundle(self, bundle: str, source: bytes) -> None:
        now = self.now()
        await self._read(
            lambda session: session.ask("add_bundle", bundle=bundle, source=source, now=now)
        )

    async def get_bundle(self, bundle: str) -> bytes | None:
        row = await self._read(lambda session: session.one("get_bundle", bundle=bundle))
        return None if row is None else row[0]

    async def secret(self, name: str) -> bytes:
        def work(session: Session) -> bytes:
            row = session.one("get_secret", name=name)
            if row is None:
                session.ask("add_secret", name=name, value=secrets.token_bytes(32))
                row = session.one("get_secret", name=name)
            value: bytes = row[0]
            return value

        return await self._read(work)

    # -- reads -----------------------------------------------------------------------------

    async def get_run(self, run_id: str) -> RunRecord | None:
        # What PostgreSQL refuses would fail for all who ask at the same time.
        return await self._opened.records.ask(run_id) if is_storable(run_id) else None

    async def list_runs(
        self, where: RunFilter, *, limit: int = 50, cursor: str | None = None
    ) -> Page:
        at, run_id = (None, None) if cursor is None else read_cursor(cursor)
        asked = msgspec.structs.asdict(where)

        def work(session: Session) -> list[Any]:
            asked["attributes"] = msgspec.json.encode(where.attributes).decode()
            return session.all(
                "list_runs", **asked, limit=limit + 1, cursor_at=at, cursor_id=run_id
            )

        found = await self._read(work)
        items = tuple(map(rows.run_record, found[:limit]))
        more = len(found) > limit and len(items) > 0
        return Page(items=items, cursor=cursor_of(items[-1]) if more else None)

    async def list_events(
        self, run_id: str, *, after: int = 0, limit: int = 1000
    ) -> tuple[Event, ...]:
        found = await self._read(
            lambda session: session.all("list_events", run_id=run_id, after=after, limit=limit)
        )
        return tuple(map(rows.event_record, found))

    async def list_tasks(self, run_id: str) -> tuple[Task, ...]:
        found = await self._read(lambda session: session.all("list_tasks", run_id=run_id))
        return tuple(map(rows.task_record, found))

    async def list_letters(self, run_id: str) -> tuple[Letter, ...]:
        found = await self._read(
            lambda session: session.all("list_letters", run_id=run_id, limit=None)
        )
        return tuple(map(rows.letter_record, found))

    async def list_hooks(self, run_id: str | None = None) -> tuple[HookRecord, ...]:
        found = await self._read(lambda session: session.all("list_hooks", run_id=run_id))
        return tuple(map(rows.hook_record, found))

    async def find_hooks(
        self, where: HookFilter, *, limit: int = 50, cursor: str | None = None
    ) -> HookPage:
        asked = query(where, limit, cursor)
        found = await self._read(lambda session: session.all("page_of_hooks", **asked))
        return page(map(rows.hook_record, found), limit)

    async def get_hook(self, token: str) -> HookRecord | None:
        row = await self._read(lambda session: session.one("get_hook", token=token))
        return None if row is None else rows.hook_record(row)

    async def prune(
        self,
        before: Micros,
        statuses: Collection[Status] = ENDED,
        limit: int = 1000,
        *,
        dry_run: bool = False,
    ) -> tuple[str, ...]:
        return await self._read(
            lambda session: prune(session, before, statuses, limit, dry_run=dry_run)
        )

    async def prune_bundles(self, before: Micros, *, dry_run: bool = False) -> tuple[str, ...]:
        return await self._read(lambda session: prune_bundles(session, before, dry_run=dry_run))

    # -- waiting ---------------------------------------------------------------------------

    async def wait_for_change(self, seen: int, until: Micros | None, *, work: bool = False) -> int:
        return await self._changes.wait(seen, until, work=work)

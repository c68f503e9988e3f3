"""The port over dictionaries. One asyncio process; several event loops, one after another."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from msgspec.structs import asdict, replace

from workflow.errors import RunEndedError, WorkflowRunNotFoundError, WorldError
from workflow.policy.crashes import handed_out, is_suspect
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
    NewTask,
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
from workflow.worlds.hook_pages import select
from workflow.worlds.memory.state import Row, State, Stream, matches
from workflow.worlds.rules.runs import Appending
from workflow.worlds.rules.silence import Silence
from workflow.worlds.rules.streams import is_closed, takes_chunks

__all__ = ["MemoryWorld"]

_T = TypeVar("_T")


class MemoryWorld:
    """A `World` that keeps everything in memory. Closing it keeps the data; `open` goes on."""

    name = "memory"

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._changes = Changes(self._clock)
        self._state = State()
        self._silence = Silence()
        # Calls are short and never wait; the lock is for heartbeats from another thread.
        self._lock = threading.RLock()
        self._closed = False

    async def open(self) -> None:
        self._closed = False

    async def close(self) -> None:
        self._closed = True
        self._changes.bump()

    def now(self) -> Micros:
        return self._clock.now()

    @contextmanager
    def _transaction(self) -> Iterator[State]:
        with self._lock:
            if self._closed:
                raise WorldError("the world is closed; call `await world.open()` to go on")
            yield self._state

    def _changed(self, answer: _T, *, when: bool = True, gives_work: bool = True) -> _T:
        """Wake the waiters if something was written. A worker's idle look must not wake itself."""
        if when:
            self._changes.bump(gives_work=gives_work)
        return answer

    # -- runs ------------------------------------------------------------------------------

    async def create(self, run: NewRun) -> Created:
        with self._transaction() as state:
            created = state.create(run, self.now())
            return self._changed(created, when=created.created)

    async def post(self, run_id: str, letter: Letter) -> Posted:
        with self._transaction() as state:
            posted = state.deliver(run_id, letter, self.now())
            return self._changed(posted, when=posted.outcome == "posted")

    async def post_to_token(self, token: str, letter: Letter) -> Posted:
        with self._transaction() as state:
            hook = state.hooks.get(token)
            if hook is None or letter.ref not in ("", hook.hook_id):
                return Posted(outcome="missing")
            posted = state.deliver(hook.run_id, replace(letter, ref=hook.hook_id), self.now())
            return self._changed(posted, when=posted.outcome == "posted")

    async def claim_runs(self, worker: str, limit: int) -> Claimed:
        with self._transaction() as state:
            now = self.now()
            due: list[tuple[Micros, Row]] = []
            look: list[str] = []
            later = [task.run_at for task in state.tasks.values() if task.owner is None]
            later.append(state.watched_until(worker, now) or 0)
            for row in state.open_rows.values():
                run = row.run
                if (since := self._due_since(row, now)) is not None:
                    due.append((since, row))
                elif run.owner == worker and (
                    run.mail > run.seen or (run.next_timer is not None and run.next_timer <= now)
                ):
                    look.append(run.run_id)
                if run.owner is None and run.parked is None:
                    later.append(row.waits_until)
                if run.next_timer is not None and run.owner in (None, worker) and not run.parked:
                    later.append(run.next_timer)
            due.sort(key=lambda entry: entry[0])
            rows = [row for _, row in due[:limit]]
            taken = handed_out(rows, lambda row: is_suspect(row.run.claims))
            more = any(is_suspect(row.run.claims) for row in rows)
            for row in taken:
                row.set(owner=worker, fence=row.run.fence + 1, claims=row.run.claims + 1)
            claimed = Claimed(
                runs=tuple(row.run for row in taken),
                look=tuple(look),
                next_due=min((at for at in later if at > now), default=None),
                more=more,
            )
            return self._changed(claimed, when=bool(taken), gives_work=False)

    def _due_since(self, row: Row, now: Micros) -> Micros | None:
        return self._state.due_since(row, now)

    async def load(self, run_id: str, *, after: int = 0, limit: int = 256) -> Loaded:
        with self._transaction() as state:
            row = _row(state, run_id)
            results = ("step_completed", "step_failed")
            return Loaded(
                run=row.run,
                events=tuple(row.events[after:]),
                letters=tuple(row.letters.values())[:limit],
                tasks=frozenset(step for run, step in state.tasks if run == run_id),
                lettered=frozenset(x.ref for x in row.letters.values() if x.kind in results),
                now=self.now(),
            )

    def _fits(self, row: Row, append: Append) -> bool:
        """Whether the append comes from the owner of a history that is still the newest."""
        return row.run.fence == append.fence and row.run.head == append.expected

    async def append(self, append: Append) -> Appended:
        with self._transaction() as state:
            row = state.rows.get(append.run_id)
            if row is None or not row.is_open or row.run.parked or not self._fits(row, append):
                return Appended(ok=False)
            now = self.now()
            run_id = append.run_id
            if row.run.status == "pending" and (append.events or append.open_tokens):
                row.set(status="running", started_at=append.at)
            if append.status is not None:
                row.set(status=append.status)
            for event in append.events:
                row.write(event)
            state.close_tokens(run_id, append.close_tokens)
            opened = tuple(
                state.open_token(row, new, append.at, closing=new.ref in append.close_tokens)
                for new in append.open_tokens
            )
            for n in append.eat:
                row.letters.pop(n, None)
            for step_id in append.drop_tasks:
                state.tasks.pop((run_id, step_id), None)
            for task in append.add_tasks:
                state.tasks.setdefault((run_id, task.step_id), _task(run_id, task))
            attributes = {**row.run.attributes, **(append.attributes or {})}
            row.mailed_at = now
            row.set(
                seen=max(row.run.seen, append.seen),
                next_timer=append.next_timer,
                claims=0,
                # An opened token's event is still to be fed, so the run cannot be idle.
                owner=None if append.release and not append.open_tokens else append.worker,
                attributes={k: v for k, v in attributes.items() if v is not None},
                bundle=append.bundle or row.run.bundle,
                python=append.python or row.run.python,
            )
            for child in append.children:
                state.create(child, now)
            for to, letter in append.letters:
                state.deliver(to, letter, now)
            if append.end is not None:
                row.set(
                    status=append.end,
                    output=append.output,
                    error_code=append.error_code,
                    completed_at=append.at,
                )
                state.finish(row, now)
            return self._changed(
                Appended(ok=True, head=row.run.head, mail=row.run.mail, opened=opened),
                gives_work=Appending(append).gives_work,
            )

    async def park(self, run_id: str, worker: str, fence: int, parked: Parked) -> bool:
        with self._transaction() as state:
            row = state.rows.get(run_id)
            if row is None or not row.is_open or row.run.fence != fence:
                return False
            row.set(parked=parked, owner=None)
            return self._changed(True)

    async def unpark(self, run_id: str, *, bundle: str | None = None) -> bool:
        with self._transaction() as state:
            row = state.rows.get(run_id)
            if row is None or row.run.parked is None:
                return False
            row.set(
                parked=None,
                claims=0,
                bundle=bundle or row.run.bundle,
                # A live copy of the old code may still be about; its fence must not fit.
                fence=row.run.fence + 1,
            )
            now = self.now()
            for key, task in state.tasks.items():
                if key[0] == run_id and task.owner is None and task.attempt == 0:
                    state.tasks[key] = replace(task, run_at=min(task.run_at, now))
            state.nudge(row, now)
            return self._changed(True)

    async def terminate(self, run_id: str, event: NewEvent, output: bytes, code: str) -> bool:
        with self._transaction() as state:
            row = state.rows.get(run_id)
            if row is None or not row.is_open:
                return False
            at = max(event.at, row.events[-1].at)
            row.write(replace(event, at=at))
            row.set(
                status="cancelled",
                output=output,
                error_code=code,
                completed_at=at,
                fence=row.run.fence + 1,
            )
            state.finish(row, self.now())
            return self._changed(True)

    # -- tasks -----------------------------------------------------------------------------

    async def claim_tasks(
        self, worker: str, limit: int, names: Collection[str]
    ) -> tuple[Task, ...]:
        with self._transaction() as state:
            claimed = state.claim_tasks(worker, limit, names, self.now())
            return self._changed(claimed, when=bool(claimed), gives_work=False)

    async def list_unclaimed(self, names: Collection[str], *, limit: int = 100) -> tuple[Task, ...]:
        with self._transaction() as state:
            now = self.now()
            found = [
                task
                for key, task in state.tasks.items()
                if task.owner is None
                and task.run_at <= now
                and task.name not in names
                and state.rows[key[0]].run.parked is None
            ]
            return tuple(sorted(found, key=lambda task: task.run_at)[:limit])

    async def finish_tasks(self, finishes: Sequence[Finish]) -> tuple[bool, ...]:
        with self._transaction() as state:
            done = tuple(self._finish(state, finish) for finish in finishes)
            return self._changed(done, when=any(done))

    def _finish(self, state: State, finish: Finish) -> bool:
        key = (finish.run_id, finish.step_id)
        task = state.tasks.get(key)
        if task is None or task.owner != finish.worker or task.attempt != finish.attempt:
            return False
        if finish.letter is not None:
            del state.tasks[key]
            state.deliver(finish.run_id, finish.letter, self.now())
        else:
            state.tasks[key] = replace(
                task,
                owner=None,
                run_at=finish.run_at,
                error=task.error if finish.error is None else finish.error,
                attempt=task.attempt - finish.uncount,
            )
        return True

    # -- workers ---------------------------------------------------------------------------

    async def beat(self, worker: WorkerRecord) -> int:
        with self._transaction() as state:
            now = self.now()
            state.workers[worker.worker] = worker
            ended_by = self._silence.ended_by(worker, now)
            state.workers = {k: w for k, w in state.workers.items() if w.lease_until > ended_by}
            freed = state.free(lambda owner: owner not in state.workers, now, crashed=True)
            return self._changed(freed, when=freed > 0)

    async def list_workers(self) -> tuple[WorkerRecord, ...]:
        with self._transaction() as state:
            now = self.now()
            return tuple(each for each in state.workers.values() if each.lease_until > now)

    async def leave(self, worker: str) -> None:
        with self._transaction() as state:
            state.workers.pop(worker, None)
            freed = state.free(lambda owner: owner == worker, self.now(), crashed=False)
            self._changed(None, when=freed > 0)

    # -- streams ---------------------------------------------------------------------------

    async def write_chunks(self, write: ChunkWrite) -> int | None:
        with self._transaction() as state:
            home = state.rows.get(write.of or write.run_id)
            if home is None:
                return None
            known = home.streams.get(write.stream)
            closed = known is not None and known.closed
            run = home.run
            if not takes_chunks(write.stream, run.status, exists=known is not None, closed=closed):
                if closed:
                    raise RunEndedError(f"the stream {write.stream!r} of {run.run_id} is closed")
                raise RunEndedError(f"{run.run_id} has ended, its streams are closed")
            if not write.own and not state.is_current(write):
                return None
            stream = home.streams.setdefault(write.stream, Stream())
            first = len(stream.chunks)
            stream.chunks.extend(
                Chunk(index=i, data=data, step_id=write.step_id, attempt=write.attempt)
                for i, data in enumerate(write.chunks, first)
            )
            stream.closed = write.close
            return self._changed(first, gives_work=False)

    async def read_chunks(self, run_id: str, stream: str, start: int, limit: int) -> ChunkPage:
        with self._transaction() as state:
            row = _row(state, run_id)
            known = row.streams.get(stream)
            found = known or Stream()
            closed, cut = is_closed(
                stream, row.run.status, exists=known is not None, closed=found.closed
            )
            return ChunkPage(
                chunks=tuple(found.chunks[start : start + limit]),
                next=len(found.chunks),
                closed=closed,
                cut=cut,
            )

    async def list_streams(self, run_id: str) -> tuple[str, ...]:
        with self._transaction() as state:
            row = state.rows.get(run_id)
            return () if row is None else tuple(sorted(row.streams))

    # -- bundles and secrets ---------------------------------------------------------------

    async def put_bundle(self, bundle: str, source: bytes) -> None:
        with self._transaction() as state:
            kept, _ = state.bundles.get(bundle, (source, 0))
            state.bundles[bundle] = kept, self.now()

    async def get_bundle(self, bundle: str) -> bytes | None:
        with self._transaction() as state:
            return state.bundles.get(bundle, (None, 0))[0]

    async def secret(self, name: str) -> bytes:
        with self._transaction() as state:
            return state.secrets.setdefault(name, secrets.token_bytes(32))

    # -- reads -----------------------------------------------------------------------------

    async def get_run(self, run_id: str) -> RunRecord | None:
        with self._transaction() as state:
            row = state.rows.get(run_id)
            return None if row is None else row.run

    async def list_runs(
        self, where: RunFilter, *, limit: int = 50, cursor: str | None = None
    ) -> Page:
        before = None if cursor is None else read_cursor(cursor)
        with self._transaction() as state:
            runs = [row.run for row in state.rows.values() if matches(row.run, where)]
        runs.sort(key=_newness, reverse=True)
        if before is not None:
            runs = [run for run in runs if _newness(run) < before]
        more = len(runs) > limit > 0
        page = runs[:limit]
        return Page(items=tuple(page), cursor=cursor_of(page[-1]) if more else None)

    async def list_events(
        self, run_id: str, *, after: int = 0, limit: int = 1000
    ) -> tuple[Event, ...]:
        with self._transaction() as state:
            row = state.rows.get(run_id)
            return () if row is None else tuple(row.events[after : after + limit])

    async def list_tasks(self, run_id: str) -> tuple[Task, ...]:
        with self._transaction() as state:
            return tuple(task for key, task in state.tasks.items() if key[0] == run_id)

    async def list_letters(self, run_id: str) -> tuple[Letter, ...]:
        with self._transaction() as state:
            row = state.rows.get(run_id)
            return () if row is None else tuple(row.letters.values())

    async def list_hooks(self, run_id: str | None = None) -> tuple[HookRecord, ...]:
        with self._transaction() as state:
            return tuple(h for h in state.hooks.values() if run_id in (None, h.run_id))

    async def find_hooks(
        self, where: HookFilter, *, limit: int = 50, cursor: str | None = None
    ) -> HookPage:
        with self._transaction() as state:
            return select(state.hooks.values(), where, limit, cursor)

    async def get_hook(self, token: str) -> HookRecord | None:
        with self._transaction() as state:
            return state.hooks.get(token)

    async def prune(
        self,
        before: Micros,
        statuses: Collection[Status] = ENDED,
        limit: int = 1000,
        *,
        dry_run: bool = False,
    ) -> tuple[str, ...]:
        with self._transaction() as state:
            old = [
                run.run_id
                for run in sorted((row.run for row in state.rows.values()), key=_newness)
                if run.completed_at is not None
                and run.completed_at < before
                and run.status in statuses
            ][:limit]
            if not dry_run:
                for run_id in old:
                    del state.rows[run_id]
                state.keys = {key: run for key, run in state.keys.items() if run in state.rows}
            return self._changed(tuple(old), when=bool(old) and not dry_run)

    async def prune_bundles(self, before: Micros, *, dry_run: bool = False) -> tuple[str, ...]:
        with self._transaction() as state:
            pinned = {row.run.bundle for row in state.rows.values()}
            old = [
                bundle
                for bundle, (_, used_at) in state.bundles.items()
                if used_at < before and bundle not in pinned
            ]
            if not dry_run:
                for bundle in old:
                    del state.bundles[bundle]
            return tuple(sorted(old))

    # -- waiting ---------------------------------------------------------------------------

    async def wait_for_change(self, seen: int, until: Micros | None, *, work: bool = False) -> int:
        return await self._changes.wait(seen, until, work=work)


def _row(state: State, run_id: str) -> Row:
    row = state.rows.get(run_id)
    if row is None:
        raise WorkflowRunNotFoundError(run_id)
    return row


def _task(run_id: str, new: NewTask) -> Task:
    return Task(**asdict(new), run_id=run_id)


def _newness(run: RunRecord) -> tuple[Micros, str]:
    return run.created_at, run.run_id

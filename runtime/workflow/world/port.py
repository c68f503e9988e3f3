"""The world port: everything the engine asks of a storage.

The rules behind it are docs/architecture.md, "Durable core". In short: only the owner of a run
appends to its log, under a fence that grows with every claim; everybody else posts letters; a run
is due when letters are unseen or a timer has passed; tasks are finished by deleting them under
their attempt number. Every method is one transaction, durable when it returns. All methods raise
`WorldError` when the storage fails, and `SerializationError` when something that is to be written
has a text in it that no storage takes; neither is any other caller's trouble.
`workflow.testing.WorldConformance` holds an implementation to these sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

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

__all__ = [
    "ENDED",
    "OWN_STREAM",
    "AuthProvider",
    "Clock",
    "Queue",
    "Storage",
    "Streamer",
    "World",
]

ENDED: tuple[Status, ...] = ("completed", "failed", "cancelled")
OWN_STREAM = "strm_"
"""How the names of streams begin that have a writer of their own."""


class Clock(Protocol):
    """Where a world takes the time from. Tests pass one that they move by hand."""

    def now(self) -> Micros: ...

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call `callback()` whenever the clock is moved by hand; a real clock ignores it."""


class Storage(Protocol):
    """Runs, their logs and mail, and what they are made of."""

    async def create(self, run: NewRun) -> Created:
        """Create a run with `run_created` as event 1 and make it due, at once or from `start_at`.

        With an idempotency key already used for the same workflow, returns the existing run's id.
        A `run_id` that exists already returns `created=False`.
        """

    async def post(self, run_id: str, letter: Letter) -> Posted:
        """Put a letter into a run's mail, or with kind `nudge` only make the run due.

        A letter with a `dedupe` key that came in time before is a `duplicate`. A letter to a run
        that has ended is answered `ended` and kept undelivered, once per key.
        """

    async def post_to_token(self, token: str, letter: Letter) -> Posted:
        """Post to the run that holds the token; the letter's ref becomes the hook's id.

        A letter that has a ref is for that hook only: `missing` if another one holds the token.
        """

    async def load(self, run_id: str, *, after: int = 0, limit: int = 256) -> Loaded:
        """Read a run, its events with `seq > after`, its first `limit` letters: one snapshot.

        Raises `WorkflowRunNotFoundError`.
        """

    async def append(self, append: Append) -> Appended:
        """Apply a turn whole or not at all; see `Append`."""

    async def park(self, run_id: str, worker: str, fence: int, parked: Parked) -> bool:
        """Park an owned run: open, unowned, never due. False when the fence is not the run's."""

    async def unpark(self, run_id: str, *, bundle: str | None = None) -> bool:
        """Let a parked run go on (re-pinned if `bundle` is given) and make it due.

        Sets its claims to zero and raises the fence, so that no live copy from before fits. Its
        unowned tasks that no attempt of has begun are due as well: they may have been handed back.
        False when it is not parked.
        """

    async def terminate(self, run_id: str, event: NewEvent, output: bytes, code: str) -> bool:
        """End an open run as cancelled without its body, by raising the fence. False if ended.

        `event` is written last, not earlier than the event before it.
        """

    # -- bundles -----------------------------------------------------------------------------

    async def put_bundle(self, bundle: str, source: bytes) -> None:
        """Keep a bundle's source under its hash. Putting it again only says that it is in use."""

    async def get_bundle(self, bundle: str) -> bytes | None:
        """A bundle's source, None when the world does not have it."""

    # -- reads -------------------------------------------------------------------------------

    async def get_run(self, run_id: str) -> RunRecord | None: ...

    async def list_runs(
        self, where: RunFilter, *, limit: int = 50, cursor: str | None = None
    ) -> Page:
        """Newest first."""

    async def list_events(
        self, run_id: str, *, after: int = 0, limit: int = 1000
    ) -> tuple[Event, ...]: ...

    async def list_tasks(self, run_id: str) -> tuple[Task, ...]:
        """Open tasks, claimed or not, in no particular order."""

    async def list_letters(self, run_id: str) -> tuple[Letter, ...]:
        """Mail that no turn has used, the undelivered mail of an ended run included."""

    async def list_hooks(self, run_id: str | None = None) -> tuple[HookRecord, ...]:
        """Open hooks of one run or of all, those opened first come first."""

    async def find_hooks(
        self, where: HookFilter, *, limit: int = 50, cursor: str | None = None
    ) -> HookPage:
        """Open hooks in pages, by the time they were opened, then by run and hook id."""

    async def get_hook(self, token: str) -> HookRecord | None: ...

    # -- retention ---------------------------------------------------------------------------

    async def prune(
        self,
        before: Micros,
        statuses: Collection[Status] = ENDED,
        limit: int = 1000,
        *,
        dry_run: bool = False,
    ) -> tuple[str, ...]:
        """Delete runs that ended before `before` in one of `statuses`, with all that is theirs.

        At most `limit`, those created first; returns their ids. Open runs are never deleted,
        whatever `statuses` names.
        Letters to a deleted run are `missing`, and its idempotency key is free again. With
        `dry_run` only says which it would be.
        """

    async def prune_bundles(self, before: Micros, *, dry_run: bool = False) -> tuple[str, ...]:
        """Delete bundles last put before `before` that no run is pinned to; their hashes, sorted.

        A run is pinned soon after its bundle was put (`workflow.policy.keeping`), so with a
        `before` that is long enough ago none loses its own. With `dry_run` only says which.
        """


class Queue(Protocol):
    """Who works on what, until when, and how one learns that there is something to do."""

    async def claim_runs(self, worker: str, limit: int) -> Claimed:
        """Take up to `limit` due runs, oldest due first: owner, fence + 1, claims + 1.

        A run whose `claims` are above 1 was with workers that died. When it is the oldest it is
        taken alone, else left out: `workflow.policy.crashes.handed_out`.

        Beat before you claim: what is held by somebody without a lease is freed by any beat.
        """

    async def claim_tasks(
        self, worker: str, limit: int, names: Collection[str]
    ) -> tuple[Task, ...]:
        """Take up to `limit` due tasks of steps in `names`, oldest due first: owner, attempt + 1,
        and in `run_at` the time of the claim.

        A task that was with two workers that died is a suspect. When it is the oldest it is taken
        alone, else left out, and its worker is given no task for some seconds, unless it is over
        before: `workflow.policy.crashes`, `handed_out` and `watched_until`.
        """

    async def list_unclaimed(self, names: Collection[str], *, limit: int = 100) -> tuple[Task, ...]:
        """Free tasks that are due and whose step is not in `names`, oldest due first.

        Tasks of parked runs are left out.
        """

    async def finish_tasks(self, finishes: Sequence[Finish]) -> tuple[bool, ...]:
        """End task attempts: with a letter, delete the task and post it; else free it for `run_at`.

        A retry without `error` keeps the one before.
        False where the task is not this worker's current attempt any more: that result is dropped.
        """

    async def beat(self, worker: WorkerRecord) -> int:
        """Renew this worker's lease; free the runs and tasks of everybody who has none any more.

        When they are due, `workflow.policy.crashes` says: runs at once the first time.
        Returns how many runs and tasks were freed. Workers call this from a thread with an event
        loop of its own, while other calls are under way.
        """

    async def list_workers(self) -> tuple[WorkerRecord, ...]:
        """Everybody who has a lease now, in no particular order.

        Those with the `registry` `NO_STEPS` are no workers: they write an upload.
        """

    async def leave(self, worker: str) -> None:
        """End this worker's lease and free what it holds, all of it due at once."""

    async def wait_for_change(self, seen: int, until: Micros | None, *, work: bool = False) -> int:
        """Return a number other than `seen` as soon as anything was committed, or at `until`.

        Start with `seen=0`. At `until` the same number may come back. Claims that found nothing are
        no change. Notifications of other processes may be late by the poll interval, never lost.
        With `work`, changes may be left out that give nobody anything to claim or to look at: so
        asks a worker that has room for more.
        """


class Streamer(Protocol):
    """Streams: chunks that steps write and anybody reads."""

    async def write_chunks(self, write: ChunkWrite) -> int | None:
        """Append chunks; returns the index of the first one, None when the writer is not current.

        Raises `RunEndedError` when the run has ended or the stream is closed. A completed run still
        takes chunks for streams that exist and whose name begins with `OWN_STREAM`.
        """

    async def read_chunks(self, run_id: str, stream: str, start: int, limit: int) -> ChunkPage:
        """Read from index `start`. Streams that take nothing more read as closed, and as `cut` when
        nobody closed them.

        Raises `WorkflowRunNotFoundError`.
        """

    async def list_streams(self, run_id: str) -> tuple[str, ...]:
        """Names of the run's streams, sorted."""


class AuthProvider(Protocol):
    """Keys that all processes of a world share; deliveries over HTTP are signed with them."""

    async def secret(self, name: str) -> bytes:
        """A 32-byte random key of this world, made on first use and then always the same."""


class World(Storage, Queue, Streamer, AuthProvider, Protocol):
    """All of it, with a name, a beginning, an end and a clock."""

    name: str

    async def open(self) -> None:
        """Make the storage ready (create or check its schema). Calling it twice is harmless."""

    async def close(self) -> None:
        """Finish what was accepted, let the storage go. Calls raise `WorldError` until `open`."""

    def now(self) -> Micros:
        """The world's clock, the one by which timers and leases are judged."""

"""Frozen records that cross the world port. No behaviour, no I/O.

Times are integer microseconds since the Unix epoch (`Micros`). `payload` is always bytes of the
codec, opaque to a world; `meta` is a small JSON object as bytes, readable by consoles.
"""

from __future__ import annotations

from typing import Literal

from workflow.events import Event, Micros, NewEvent, Record

__all__ = [
    "NO_STEPS",
    "Append",
    "Appended",
    "Chunk",
    "ChunkPage",
    "ChunkWrite",
    "Claimed",
    "Created",
    "Event",
    "Finish",
    "HookFilter",
    "HookPage",
    "HookRecord",
    "Letter",
    "LetterKind",
    "Loaded",
    "Micros",
    "NewEvent",
    "NewRun",
    "NewTask",
    "NewToken",
    "Page",
    "Parked",
    "Posted",
    "RunFilter",
    "RunRecord",
    "Status",
    "Task",
    "WorkerRecord",
]

Status = Literal["pending", "running", "paused", "completed", "failed", "cancelled"]
LetterKind = Literal[
    "nudge",
    "step_completed",
    "step_failed",
    "hook_received",
    "child_ended",
    "cancel",
    "attrs",
    "wake",
]


class Parked(Record, frozen=True, kw_only=True):
    """Why an open run cannot go on. `position` is a log position, 0 when there is none."""

    code: str
    reason: str
    position: int = 0


class NewRun(Record, frozen=True, kw_only=True):
    """A run to create. The world writes `run_created` as event 1 and makes the run due."""

    run_id: str
    workflow: str
    input: bytes
    meta: bytes  # of the run_created event: {"seed": hex, ...}
    idempotency_key: str | None = None
    attributes: dict[str, str] = {}
    start_at: Micros | None = None  # None: now
    parent_run: str | None = None
    parent_ref: str | None = None


class RunRecord(Record, frozen=True, kw_only=True):
    """The row of one run. `mail > seen` means letters wait; `head` is the last event's number."""

    run_id: str
    workflow: str
    status: Status
    created_at: Micros
    input: bytes
    started_at: Micros | None = None
    completed_at: Micros | None = None
    output: bytes | None = None  # result of a completed run, error of a failed or cancelled one
    error_code: str | None = None
    bundle: str | None = None  # hash the run is pinned to, set by its first append
    python: str | None = None  # minor version that took the first turn
    idempotency_key: str | None = None
    attributes: dict[str, str] = {}
    parent_run: str | None = None
    parent_ref: str | None = None
    head: int = 1
    mail: int = 0
    seen: int = 0
    next_timer: Micros | None = None
    owner: str | None = None
    fence: int = 0
    claims: int = 0  # claims since the last append
    parked: Parked | None = None


class Created(Record, frozen=True, kw_only=True):
    """What `create` did: the run's id, and whether this call made it (idempotency key)."""

    run_id: str
    created: bool


class Letter(Record, frozen=True, kw_only=True):
    """Something for a run that is not yet in its log. `n` is its number in the run's mail."""

    kind: LetterKind
    n: int = 0
    ref: str = ""
    name: str = ""
    payload: bytes | None = None
    meta: bytes | None = None
    at: Micros = 0  # when it was posted, by the world's clock
    dedupe: str | None = None  # unique per run where given


class Posted(Record, frozen=True, kw_only=True):
    """What became of a letter: in the mail, known already, too late, or no such run or token."""

    outcome: Literal["posted", "duplicate", "ended", "missing"]
    run_id: str = ""
    ref: str = ""


class NewTask(Record, frozen=True, kw_only=True):
    """A step handed to any worker. `attempt` is the number of attempts already used."""

    step_id: str
    name: str
    payload: bytes
    attempt: int = 0
    run_at: Micros = 0
    created_at: Micros = 0
    error: bytes | None = None  # codec bytes of the last attempt's error
    meta: bytes | None = None


class Task(NewTask, frozen=True, kw_only=True):
    """A claimed or listed task. `attempt` counts the claim that handed it out, `run_at` is when
    that was, or when the next one is due. `error` is what the last attempt left; None if its worker
    died."""

    run_id: str
    owner: str | None = None


class NewToken(Record, frozen=True, kw_only=True):
    """A hook's token to open in an append. `webhook` tokens are reachable over public HTTP."""

    token: str
    ref: str
    webhook: bool = False
    metadata: bytes | None = None
    meta: bytes | None = None


class HookRecord(Record, frozen=True, kw_only=True):
    """An open hook, found by its token."""

    run_id: str
    hook_id: str
    token: str
    created_at: Micros
    webhook: bool = False
    metadata: bytes | None = None
    meta: bytes | None = None


class HookFilter(Record, frozen=True, kw_only=True):
    """What `find_hooks` selects; None matches everything. Tokens begin with `prefix`."""

    run_id: str | None = None
    prefix: str = ""
    webhook: bool | None = None


class HookPage(Record, frozen=True, kw_only=True):
    """One page of open hooks: `cursor` continues it, None when this was the last."""

    items: tuple[HookRecord, ...]
    cursor: str | None = None


class Append(Record, frozen=True, kw_only=True):
    """Everything one turn changes, applied whole or not at all.

    Refused unless `fence` is the run's, `expected` its head, and the run is open and not parked.
    Events are written in order; then, for each of `open_tokens` in order, the world writes
    `hook_created` (token free) or `hook_conflict` (taken; meta is `{"run_id": owner}`) and returns
    it. Tokens are closed and tasks dropped before others are opened and added; a task that exists
    is left alone. The first append that writes events makes a pending run `running`; after that,
    `status` says so when the run begins or ceases to wait for people only.

    An accepted append sets the owner to `worker`, or to nobody with `release`. An end removes
    tasks and tokens, and posts `child_ended` to the parent (ref `parent_ref`, payload `output`,
    meta `{"status": …}`, with the error code, if any, as `code`).
    """

    run_id: str
    worker: str
    fence: int
    expected: int
    at: Micros
    events: tuple[NewEvent, ...] = ()
    eat: tuple[int, ...] = ()  # numbers of the letters used; they are deleted
    seen: int = 0  # highest letter number taken into account, eaten or not
    next_timer: Micros | None = None
    add_tasks: tuple[NewTask, ...] = ()
    drop_tasks: tuple[str, ...] = ()
    open_tokens: tuple[NewToken, ...] = ()
    close_tokens: tuple[str, ...] = ()  # refs of the hooks whose tokens are freed
    children: tuple[NewRun, ...] = ()  # an id that exists already is left alone
    letters: tuple[
        tuple[str, Letter], ...
    ] = ()  # (run id, letter); ended runs keep them undelivered
    attributes: dict[str, str | None] | None = None  # merged; None removes a key
    bundle: str | None = None  # pins the run (first turn)
    python: str | None = None
    release: bool = False  # give the run up: nothing runs; ignored with `open_tokens`
    status: Literal["running", "paused"] | None = None  # None: as it is; an `end` is stronger
    end: Literal["completed", "failed", "cancelled"] | None = None
    output: bytes | None = None
    error_code: str | None = None


class Appended(Record, frozen=True, kw_only=True):
    """Answer to an append. When `ok` is false nothing was written and the copy is to be dropped."""

    ok: bool
    head: int = 0
    mail: int = 0
    opened: tuple[Event, ...] = ()  # hook_created / hook_conflict, in the order asked


class Claimed(Record, frozen=True, kw_only=True):
    """Work for one worker.

    `runs`: newly claimed, this worker now owns them. `look`: runs it owned already that have
    unseen mail or a due timer, in any order. `next_due`: when a timer of an own or unowned run,
    or a free task, falls due next, always later than now, None if none. With `limit` runs
    there may be more, and `more`: runs that were with workers that died may be left, which are
    handed out one at a time.
    """

    runs: tuple[RunRecord, ...] = ()
    look: tuple[str, ...] = ()
    next_due: Micros | None = None
    more: bool = False


class Loaded(Record, frozen=True, kw_only=True):
    """One consistent read of a run, for its owner. `letters` are ordered, at most `limit`."""

    run: RunRecord
    events: tuple[Event, ...]
    letters: tuple[Letter, ...]
    tasks: frozenset[str]  # step ids that have a task row
    lettered: frozenset[str]  # refs of all step results in the mail, beyond the limit too
    now: Micros  # the world's clock


class Finish(Record, frozen=True, kw_only=True):
    """The end of one task attempt: `letter` (result) or a retry (`run_at`, `error`), never both."""

    run_id: str
    step_id: str
    worker: str
    attempt: int
    letter: Letter | None = None
    run_at: Micros = 0
    error: bytes | None = None
    uncount: bool = False  # hand back unstarted: the attempt does not count


NO_STEPS = "no-steps"
"""The `registry` of what has a lease and takes no work: a process that writes an upload."""


class WorkerRecord(Record, frozen=True, kw_only=True):
    """One worker process: a new id at every start. `registry` is the hash of its code."""

    worker: str
    lease_until: Micros
    registry: str = ""


class ChunkWrite(Record, frozen=True, kw_only=True):
    """Chunks from a step attempt. Accepted only from the current attempt.

    For a task: `worker` and `attempt` are compared with the task row. For an inline step (`fence`
    given): with the run's owner and fence. `of` is the run whose stream it is, None for the run of
    the attempt. With `own` the stream has a writer of its own and nothing is compared: a result
    that a step went on writing when it had succeeded, or an upload.
    """

    run_id: str
    stream: str
    step_id: str
    attempt: int
    worker: str
    fence: int | None = None
    chunks: tuple[bytes, ...] = ()
    close: bool = False
    of: str | None = None
    own: bool = False


class Chunk(Record, frozen=True, kw_only=True):
    """One entry of a stream. Indices count from 0 without gaps and are never reused."""

    index: int
    data: bytes
    step_id: str = ""
    attempt: int = 0


class ChunkPage(Record, frozen=True, kw_only=True):
    """A read of a stream: `next` is the index after the last existing chunk.

    `cut`: it is closed by the end of the run, and no writer has closed it.
    """

    chunks: tuple[Chunk, ...]
    next: int
    closed: bool
    cut: bool = False


class RunFilter(Record, frozen=True, kw_only=True):
    """What `list_runs` selects; None matches everything. Attributes must all be equal."""

    workflow: str | None = None
    status: Status | None = None
    parked: bool | None = None
    created_from: Micros | None = None
    created_before: Micros | None = None
    attributes: dict[str, str] = {}


class Page(Record, frozen=True, kw_only=True):
    """One page of a listing: `cursor` continues it, None when this was the last."""

    items: tuple[RunRecord, ...]
    cursor: str | None = None

"""Operations on claims, tasks, leases and streams inside a transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import msgspec
from msgspec.structs import asdict

from workflow.errors import RunEndedError
from workflow.world.records import (
    ChunkWrite,
    Claimed,
    Finish,
    RunRecord,
    Task,
    WorkerRecord,
)
from workflow.worlds.local.rows import run_record, task_record
from workflow.worlds.local.runs import deliver
from workflow.worlds.local.store import Tx

__all__ = [
    "claim_runs",
    "claim_tasks",
    "finish",
    "free_lost",
    "leave",
    "look",
    "renew",
    "write_chunks",
]


def look(tx: Tx, worker: str, runs: tuple[RunRecord, ...] = ()) -> Claimed:
    """What a worker has to do besides newly claimed `runs`, and when there will be more."""
    now = tx.now
    new = {run.run_id for run in runs}
    own = [row["run_id"] for row in tx.all("own_due", worker=worker, now=now)]
    later = tx.one("next_due", worker=worker, now=now)
    return Claimed(
        runs=runs,
        look=tuple(run_id for run_id in own if run_id not in new),
        next_due=None if later is None else later[0],
    )


def claim_runs(tx: Tx, worker: str, limit: int) -> Claimed:
    """Become the owner of due runs."""
    due = [row["run_id"] for row in tx.all("due_runs", now=tx.now, limit=limit)]
    tx.many("claim_run", [{"worker": worker, "run_id": run_id} for run_id in due])
    rows = [tx.one("run_record", run_id=run_id) for run_id in due]
    return look(tx, worker, tuple(run_record(row) for row in rows if row is not None))


def claim_tasks(tx: Tx, worker: str, limit: int, names: Collection[str]) -> tuple[Task, ...]:
    """Take due tasks as their next attempt."""
    known = msgspec.json.encode(list(names)).decode()
    due = [row["id"] for row in tx.all("due_tasks", now=tx.now, names=known, limit=limit)]
    tx.many("claim_task", [{"worker": worker, "task": task} for task in due])
    rows = [tx.one("get_task", task=task) for task in due]
    return tuple(task_record(row) for row in rows if row is not None)


def finish(tx: Tx, finishes: Sequence[Finish]) -> tuple[bool, ...]:
    """End task attempts; False for those that are not current."""
    return tuple(_finish(tx, each) for each in finishes)


def _finish(tx: Tx, ended: Finish) -> bool:
    current = {
        "run_id": ended.run_id,
        "step_id": ended.step_id,
        "worker": ended.worker,
        "attempt": ended.attempt,
    }
    if ended.letter is None:
        retry = {"run_at": ended.run_at, "error": ended.error, "uncount": ended.uncount}
        return tx.do("retry_task", **current, **retry) == 1
    if tx.do("finish_task", **current) == 0:
        return False
    deliver(tx, ended.run_id, ended.letter)
    return True


# -- leases ----------------------------------------------------------------------------------


def renew(tx: Tx, worker: WorkerRecord) -> None:
    """Note a worker's lease."""
    tx.do("renew_lease", **asdict(worker))


def free_lost(tx: Tx, is_dead: Callable[[str], bool]) -> int:
    """Drop the leases of lost workers and free what anybody without a lease holds."""
    now = tx.now
    alive: set[str] = set()
    for row in tx.all("list_workers"):
        if row["lease_until"] > now and not is_dead(row["worker"]):
            alive.add(row["worker"])
        else:
            tx.do("drop_worker", worker=row["worker"])
    return sum(_free(tx, row["owner"]) for row in tx.all("owners") if row["owner"] not in alive)


def leave(tx: Tx, worker: str) -> None:
    """End a worker's lease and free what it holds."""
    tx.do("drop_worker", worker=worker)
    _free(tx, worker)


def _free(tx: Tx, owner: str) -> int:
    return tx.do("free_runs", owner=owner, now=tx.now) + tx.do("free_tasks", owner=owner)


# -- streams ---------------------------------------------------------------------------------


def write_chunks(tx: Tx, write: ChunkWrite) -> int | None:
    """Add chunks to a stream; the index of the first, None when the writer is not current."""
    row = tx.one("run_row", run_id=write.run_id)
    if row is None:
        return None
    if not row["is_open"]:
        raise RunEndedError(f"{write.run_id} has ended, its streams are closed")
    run: int = row["id"]
    if write.fence is not None:
        current = (row["owner"], row["fence"]) == (write.worker, write.fence)
    else:
        attempt = {"step_id": write.step_id, "worker": write.worker, "attempt": write.attempt}
        current = tx.one("is_current_attempt", run=run, **attempt) is not None
    if not current:
        return None
    stream = tx.one("get_stream", run_id=write.run_id, stream=write.stream)
    if stream is None:
        tx.do("add_stream", run=run, stream=write.stream)
    elif stream["closed"]:
        raise RunEndedError(f"the stream {write.stream!r} of {write.run_id} is closed")
    first: int = 0 if stream is None else stream["next"]
    shared = {"run": run, "stream": write.stream, "step_id": write.step_id}
    tx.many(
        "add_chunks",
        [
            {**shared, "attempt": write.attempt, "i": i, "data": data}
            for i, data in enumerate(write.chunks, first)
        ],
    )
    end = first + len(write.chunks)
    tx.do("move_stream", run=run, stream=write.stream, next=end, closed=write.close)
    return first

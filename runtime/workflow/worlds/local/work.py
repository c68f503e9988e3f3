"""Claims and leases inside a transaction of the writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection

import msgspec
from msgspec.structs import asdict, replace

from workflow.policy.crashes import (
    ALONE,
    after_crash,
    handed_out,
    is_suspect,
    is_suspect_step,
    run_after_crash,
)
from workflow.world.records import Claimed, Micros, RunRecord, Task, WorkerRecord
from workflow.worlds.local.rows import run_record, task_record
from workflow.worlds.local.store import Tx

__all__ = [
    "claim_runs",
    "claim_tasks",
    "free_lost",
    "leave",
    "look",
    "next_task",
    "renew",
    "watched_until",
]


def look(tx: Tx, worker: str, now: Micros, runs: tuple[RunRecord, ...] = ()) -> Claimed:
    """What a worker has to do besides newly claimed `runs`, and when there will be more.

    `now` is the time at which runs were claimed: what falls due later is yet to come.
    """
    new = {run.run_id for run in runs}
    own = [row["run_id"] for row in tx.all("own_due", worker=worker, now=now)]
    later = tx.one("next_due", worker=worker, now=now, alone=ALONE)
    return Claimed(
        runs=runs,
        look=tuple(run_id for run_id in own if run_id not in new),
        next_due=None if later is None else later[0],
    )


def claim_runs(tx: Tx, worker: str, limit: int) -> Claimed:
    """Become the owner of due runs."""
    now = tx.now
    free = tx.all("due_runs", now=now, limit=limit)
    due = [row["run_id"] for row in handed_out(free, lambda row: is_suspect(row["claims"]))]
    tx.rows("claim_runs", [(run_id, worker) for run_id in due])
    records = {row["run_id"]: row for row in tx.rows("run_records", [(run_id,) for run_id in due])}
    claimed = look(tx, worker, now, tuple(run_record(records[run_id]) for run_id in due))
    return replace(claimed, more=any(is_suspect(row["claims"]) for row in free))


def claim_tasks(
    tx: Tx, worker: str, limit: int, names: Collection[str]
) -> tuple[tuple[Task, ...], bool]:
    """Take due tasks as their next attempt; they, and whether suspects may be left."""
    now = tx.now
    if watched_until(tx, worker, now) is not None:
        return (), True  # by a claim of this worker that was under way
    known = msgspec.json.encode(list(names)).decode()
    free = tx.all("due_tasks", now=now, names=known, limit=limit)
    due = [row["id"] for row in handed_out(free, _is_suspect_step)]
    tx.rows("claim_tasks", [(task, worker, now) for task in due])
    records = {row["id"]: row for row in tx.rows("tasks_by_id", [(task,) for task in due])}
    tasks = tuple(task_record(records[task]) for task in due)
    return tasks, any(map(_is_suspect_step, free))


def _is_suspect_step(row: sqlite3.Row) -> bool:
    return is_suspect_step(row["attempt"], row["error"])


def watched_until(tx: Tx, worker: str, now: Micros) -> Micros | None:
    """Until when a worker is given no task because of one that it has, None when there is none."""
    row = tx.one("watched_until", worker=worker, now=now, alone=ALONE)
    return None if row is None else row[0]


def next_task(tx: Tx, now: Micros) -> Micros | None:
    """When the next free task falls due after `now`."""
    row = tx.one("next_task", now=now)
    return None if row is None else row[0]


# -- leases ----------------------------------------------------------------------------------


def renew(tx: Tx, worker: WorkerRecord) -> None:
    """Note a worker's lease."""
    tx.do("renew_lease", **asdict(worker))


def free_lost(tx: Tx, is_dead: Callable[[str], bool], ended_by: Micros) -> int:
    """Drop the leases that ran out until `ended_by` and those of dead workers, and free what is
    held by anybody without one."""
    alive: set[str] = set()
    for row in tx.all("list_workers"):
        if row["lease_until"] > ended_by and not is_dead(row["worker"]):
            alive.add(row["worker"])
        else:
            tx.do("drop_worker", worker=row["worker"])
    lost = [row["owner"] for row in tx.all("owners") if row["owner"] not in alive]
    return sum(_free_crashed_runs(tx, owner) + _free_crashed_tasks(tx, owner) for owner in lost)


def _free_runs(tx: Tx, owner: str) -> int:
    return tx.do("free_runs", owner=owner, now=tx.now)


def _free_crashed_runs(tx: Tx, owner: str) -> int:
    now = tx.now
    delayed = [
        (run_id, run_after_crash(run_id, claims, now))
        for run_id, claims in tx.all("runs_of", owner=owner)
        if is_suspect(claims)
    ]
    freed = _free_runs(tx, owner)
    tx.rows("delay_runs", delayed)
    return freed


def _free_crashed_tasks(tx: Tx, owner: str) -> int:
    now = tx.now
    tasks = [
        (task, after_crash(run_id, step_id, attempt, now, claimed_at))
        for task, run_id, step_id, attempt, claimed_at in tx.all("tasks_of", owner=owner)
    ]
    tx.rows("free_crashed_tasks", tasks)
    return len(tasks)


def leave(tx: Tx, worker: str) -> None:
    """End a worker's lease and free what it holds."""
    tx.do("drop_worker", worker=worker)
    _free_runs(tx, worker)
    tx.do("free_tasks", owner=worker)

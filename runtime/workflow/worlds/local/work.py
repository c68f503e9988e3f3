"""Claims and leases inside a transaction of the writer."""

from __future__ import annotations

from collections.abc import Callable, Collection
from operator import itemgetter

import msgspec
from msgspec.structs import asdict, replace

from workflow.policy.crashes import after_crash, handed_out, is_suspect, run_after_crash
from workflow.world.records import Claimed, Micros, RunRecord, Task, WorkerRecord
from workflow.worlds.local.rows import run_record, task_record
from workflow.worlds.local.store import Tx

__all__ = ["claim_runs", "claim_tasks", "free_lost", "leave", "look", "next_task", "renew"]


def look(tx: Tx, worker: str, now: Micros, runs: tuple[RunRecord, ...] = ()) -> Claimed:
    """What a worker has to do besides newly claimed `runs`, and when there will be more.

    `now` is the time at which runs were claimed: what falls due later is yet to come.
    """
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
    now = tx.now
    free = tx.all("due_runs", now=now, limit=limit)
    due = [row["run_id"] for row in handed_out(free, itemgetter("claims"))]
    tx.rows("claim_runs", [(run_id, worker) for run_id in due])
    records = {row["run_id"]: row for row in tx.rows("run_records", [(run_id,) for run_id in due])}
    claimed = look(tx, worker, now, tuple(run_record(records[run_id]) for run_id in due))
    return replace(claimed, more=any(is_suspect(row["claims"]) for row in free))


def claim_tasks(tx: Tx, worker: str, limit: int, names: Collection[str]) -> tuple[Task, ...]:
    """Take due tasks as their next attempt."""
    known = msgspec.json.encode(list(names)).decode()
    due = [row["id"] for row in tx.all("due_tasks", now=tx.now, names=known, limit=limit)]
    tx.rows("claim_tasks", [(task, worker) for task in due])
    records = {row["id"]: row for row in tx.rows("tasks_by_id", [(task,) for task in due])}
    return tuple(task_record(records[task]) for task in due)


def next_task(tx: Tx, now: Micros) -> Micros | None:
    """When the next free task falls due after `now`."""
    row = tx.one("next_task", now=now)
    return None if row is None else row[0]


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
        (task, after_crash(run_id, step_id, attempt, now))
        for task, run_id, step_id, attempt in tx.all("tasks_of", owner=owner)
    ]
    tx.rows("free_crashed_tasks", tasks)
    return len(tasks)


def leave(tx: Tx, worker: str) -> None:
    """End a worker's lease and free what it holds."""
    tx.do("drop_worker", worker=worker)
    _free_runs(tx, worker)
    tx.do("free_tasks", owner=worker)

"""Handing out work, and taking it back from the dead."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence

import psycopg

from workflow.policy.crashes import ALONE, after_crash, run_after_crash
from workflow.world.records import Claimed, Micros, Task
from workflow.worlds.postgres import rows
from workflow.worlds.postgres.arrays import Ints, Texts
from workflow.worlds.postgres.sessions import Session
from workflow.worlds.postgres.store import lost

__all__ = ["Doubts", "claim_runs", "claim_tasks", "free_lost", "free_of"]


class Doubts:
    """Tasks that were claimed in a commit that nobody confirmed.

    Their worker lives, so no lapsed lease would ever free them: its next claim has to find out.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks: dict[str, list[tuple[int, int]]] = {}

    def add(self, worker: str, tasks: Sequence[tuple[int, int]]) -> None:
        """Note tasks as pairs of row id and attempt."""
        if tasks:
            with self._lock:
                self._tasks.setdefault(worker, []).extend(tasks)

    def take(self, worker: str) -> list[tuple[int, int]]:
        """What is in doubt for a worker; the caller settles it or adds it again."""
        with self._lock:
            return self._tasks.pop(worker, [])

    def about(self, worker: str) -> bool:
        """Whether anything is in doubt for a worker."""
        return worker in self._tasks


def claim_runs(session: Session, worker: str, limit: int, now: Micros) -> Claimed:
    """Make a worker the owner of due runs.

    A claim whose answer was lost needs no care: the next one shows its runs among those to look at.
    """
    with session.connection.pipeline():
        claimed = session.ask("claim_runs", worker=worker, now=now, limit=limit)
        own = session.ask("own_due", worker=worker, now=now)
        due = session.ask("next_due", worker=worker, now=now, alone=ALONE)
    found = claimed.fetchall()
    runs = tuple(rows.run_record(row[:-1]) for row in found)
    new = {run.run_id for run in runs}
    later = due.fetchone()
    return Claimed(
        runs=runs,
        look=tuple(run_id for (run_id,) in own if run_id not in new),
        next_due=None if later is None else later[0],
        more=any(row[-1] for row in found),
    )


def claim_tasks(
    session: Session, worker: str, limit: int, names: Collection[str], now: Micros, doubts: Doubts
) -> tuple[tuple[Task, ...], Micros | None]:
    """Hand due tasks to a worker; they, and when to look for the next one."""
    before = doubts.take(worker)
    try:
        found = _settle(session, worker, before)
        known = Texts(names)
        with session.connection.pipeline():
            session.connection.execute("begin")
            values = {"worker": worker, "now": now, "names": known, "alone": ALONE}
            claimed = session.ask("claim_tasks", **values, limit=limit)
            later = session.ask("next_task_due", **values).fetchone()
        new = claimed.fetchall()
        tasks = tuple(rows.task_record(row[:-2]) for row in new)
        try:
            session.connection.execute("commit")
        except psycopg.Error as error:
            if not lost(error):
                raise
            doubts.add(worker, [(row[-2], t.attempt) for row, t in zip(new, tasks, strict=True)])
            if not found:
                raise
            return found, now  # theirs is certain; the new ones come with the next claim
    except BaseException:
        doubts.add(worker, before)  # nobody has heard of what was settled
        raise
    more = any(suspect for *_, suspect in new)
    return found + tasks, now if more else None if later is None else later[0]


def _settle(session: Session, worker: str, doubtful: Sequence[tuple[int, int]]) -> tuple[Task, ...]:
    if not doubtful:
        return ()
    ids, attempts = zip(*doubtful, strict=True)
    found = session.all("tasks_in_doubt", worker=worker, ids=Ints(ids), attempts=Ints(attempts))
    return tuple(map(rows.task_record, found))


def free_lost(session: Session, now: Micros, ended_by: Micros) -> int:
    """End the leases that ran out until `ended_by` and free what nobody alive holds; how much that
    was."""
    session.ask("drop_lost_workers", ended_by=ended_by)
    runs = session.all("lost_runs")
    if runs:
        session.ask(
            "free_lost_runs",
            now=now,
            id=Ints(row[0] for row in runs),
            at=Ints(run_after_crash(run_id, claims, now) for _, run_id, claims in runs),
        )
    tasks = session.all("lost_tasks")
    if tasks:
        session.ask(
            "free_lost_tasks",
            id=Ints(row[0] for row in tasks),
            run_at=Ints(after_crash(run, step, n, now, at) for _, run, step, n, at in tasks),
        )
    return len(runs) + len(tasks)


def free_of(session: Session, worker: str, now: Micros) -> None:
    """End one worker's lease and free what it holds, at once."""
    session.ask("drop_worker", worker=worker)
    session.ask("free_runs_of", worker=worker, now=now)
    session.ask("free_tasks_of", worker=worker)

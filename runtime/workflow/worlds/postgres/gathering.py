"""Reads of many runs in one round trip.

When a group of turns is committed, its sessions wake together and read their runs together. What
one turn of an event loop asks for goes into one transaction.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from workflow.world.port import Clock
from workflow.world.records import Loaded, RunRecord
from workflow.worlds.postgres import rows
from workflow.worlds.postgres.arrays import Ints, Texts
from workflow.worlds.postgres.sessions import Pool, Session

__all__ = ["Asked", "Gathering", "load_runs", "run_records", "sorted_out"]

_K = TypeVar("_K")
_V = TypeVar("_V")

# How many questions go into one transaction; more share the connections of the pool.
_GROUP = 100


class Gathering(Generic[_K, _V]):
    """Collects questions and has `work` answer them, in their order, at most `group` at a time.

    Usable from many loops.
    """

    def __init__(
        self,
        pool: Pool,
        work: Callable[[Session, Sequence[_K]], Sequence[_V]],
        *,
        group: int = _GROUP,
    ) -> None:
        self._group = group
        self._pool = pool
        self._work = work
        self._lock = threading.Lock()
        self._asked: dict[asyncio.AbstractEventLoop, list[tuple[_K, asyncio.Future[_V]]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, question: _K) -> _V:
        """The answer to one question, read after the call."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_V] = loop.create_future()
        with self._lock:
            if loop in self._asked:
                self._asked[loop].append((question, answer))
            else:
                self._asked[loop] = [(question, answer)]
                loop.call_soon(self._send, loop)
        return await answer

    def _send(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            asked = self._asked.pop(loop, [])
        for first in range(0, len(asked), self._group):
            task = loop.create_task(self._answer(asked[first : first + self._group]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, asked: Sequence[tuple[_K, asyncio.Future[_V]]]) -> None:
        questions = [question for question, _ in asked]
        try:
            found = await self._pool.run(lambda session: self._work(session, questions))
        except BaseException as error:
            for _, answer in asked:
                if not answer.done():
                    answer.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        for (_, answer), value in zip(asked, found, strict=True):
            if not answer.done():  # else nobody waits any more
                answer.set_result(value)


class Asked(NamedTuple):
    """What `load` is asked."""

    run_id: str
    after: int
    limit: int


def run_records(session: Session, run_ids: Sequence[str]) -> list[RunRecord | None]:
    """Runs as the port shows them."""
    found = session.ask("run_records", runs=Texts(sorted(set(run_ids))))
    records = {record.run_id: record for record in map(rows.run_record, found)}
    return [records.get(run_id) for run_id in run_ids]


def load_runs(session: Session, asked: Sequence[Asked], clock: Clock) -> list[Loaded | None]:
    """Consistent reads of runs; None for a run that is not there."""
    runs = Texts(each.run_id for each in asked)
    with session.connection.pipeline():
        session.connection.execute("begin isolation level repeatable read read only")
        records = session.ask("run_records", runs=Texts(sorted({each.run_id for each in asked})))
        after = Ints(each.after for each in asked)
        events = session.ask("load_events", runs=runs, after=after)
        limits = Ints(each.limit for each in asked)
        letters = session.ask("load_letters", runs=runs, limits=limits)
        tasks = session.ask("load_tasks", runs=runs)
        lettered = session.ask("load_lettered", runs=runs)
        session.connection.execute("commit")
    found = {record.run_id: record for record in map(rows.run_record, records)}
    per = [sorted_out(cursor, len(asked)) for cursor in (events, letters, tasks, lettered)]
    now = clock.now()
    return [
        None
        if each.run_id not in found
        else Loaded(
            run=found[each.run_id],
            events=tuple(map(rows.event_record, per[0][place])),
            letters=tuple(map(rows.letter_record, per[1][place])),
            tasks=frozenset(step for (step,) in per[2][place]),
            lettered=frozenset(ref for (ref,) in per[3][place]),
            now=now,
        )
        for place, each in enumerate(asked)
    ]


def sorted_out(found: Any, count: int) -> list[list[tuple[Any, ...]]]:
    """Rows by the place of their question, which comes first in each."""
    places: list[list[tuple[Any, ...]]] = [[] for _ in range(count)]
    for place, *row in found:
        places[place - 1].append(tuple(row))
    return places

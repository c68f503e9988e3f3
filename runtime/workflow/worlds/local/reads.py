"""Reads of runs that are asked for together and done together.

Hundreds of sessions load their runs, or look whether they have ended, in the same turn of an event
loop. Every statement gives the interpreter up, so what is asked for in one turn is read by a few
statements over all of it.
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Generic, TypeVar

from workflow.errors import WorkflowRunNotFoundError
from workflow.world.records import Loaded, RunRecord
from workflow.worlds.local.rows import event_record, letter_record, run_record
from workflow.worlds.local.store import Tx

__all__ = ["MOST_LETTERS", "Together", "load_runs", "read_runs"]

# How many letters `load_runs` gives at most, as its query says.
MOST_LETTERS = 256

_Q = TypeVar("_Q")
_A = TypeVar("_A")

# How many questions are answered at once: bounds the time the event loop stands still.
_MOST = 64


class Together(Generic[_Q, _A]):
    """Collects questions of one turn of an event loop; `answer` gets them in lists.

    An answer may be an exception, which is raised for its asker.
    """

    def __init__(
        self,
        snapshot: Callable[[], AbstractContextManager[Tx]],
        answer: Callable[[Tx, Sequence[_Q]], Sequence[_A | Exception]],
    ) -> None:
        self._snapshot = snapshot
        self._answer = answer
        self._local = threading.local()  # an event loop stays in its thread

    async def ask(self, question: _Q) -> _A:
        loop = asyncio.get_running_loop()
        waiting: dict[Any, list[tuple[_Q, asyncio.Future[_A]]]]
        waiting = self._local.__dict__.setdefault("waiting", {})
        asked = waiting.get(loop)
        if asked is None:
            asked = waiting[loop] = []
            loop.call_soon(self._read, waiting, loop)
        future: asyncio.Future[_A] = loop.create_future()
        asked.append((question, future))
        return await future

    def _read(self, waiting: dict[Any, list[tuple[_Q, asyncio.Future[_A]]]], loop: Any) -> None:
        asked = [each for each in waiting.pop(loop) if not each[1].done()]
        now, later = asked[:_MOST], asked[_MOST:]
        if later:
            waiting[loop] = later
            loop.call_soon(self._read, waiting, loop)
        answers: Sequence[_A | Exception]
        try:
            with self._snapshot() as tx:
                answers = self._answer(tx, [question for question, _ in now])
        except Exception as error:
            answers = [error] * len(now)
        for (_, future), answer in zip(now, answers, strict=True):
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)


def read_runs(tx: Tx, run_ids: Sequence[str]) -> list[RunRecord | None]:
    """The runs with these ids, None where there is none."""
    found = _records(tx, run_ids)
    return [found.get(run_id) for run_id in run_ids]


def _records(tx: Tx, run_ids: Iterable[str]) -> dict[str, RunRecord]:
    rows = tx.rows("run_records", _singles(run_ids))
    return {row["run_id"]: run_record(row) for row in rows}


def _singles(run_ids: Iterable[str]) -> list[tuple[str]]:
    return [(run_id,) for run_id in dict.fromkeys(run_ids)]


def load_runs(tx: Tx, asked: Sequence[tuple[str, int, int]]) -> list[Loaded | Exception]:
    """For each run id, position and number of letters, what `load` gives."""
    ids = _singles(run_id for run_id, _, _ in asked)
    runs = _records(tx, (run_id for run_id, _, _ in asked))
    positions: dict[str, int] = {}
    for run_id, after, _ in asked:
        positions[run_id] = min(after, positions.get(run_id, after))
    events = _by_run(tx.rows("events_after", list(positions.items())), event_record)
    letters = _by_run(tx.rows("first_letters", ids), letter_record)
    tasks = _by_run(tx.rows("open_steps", ids), lambda row: str(row[0]))
    lettered = _by_run(tx.rows("result_letters", ids), lambda row: str(row[0]))
    now = tx.now
    return [
        Loaded(
            run=runs[run_id],
            events=tuple(event for event in events[run_id] if event.seq > after),
            letters=tuple(letters[run_id][:limit]),
            tasks=frozenset(tasks[run_id]),
            lettered=frozenset(lettered[run_id]),
            now=now,
        )
        if run_id in runs
        else WorkflowRunNotFoundError(run_id)
        for run_id, after, limit in asked
    ]


def _by_run(rows: Iterable[Any], read: Callable[[Any], _A]) -> defaultdict[str, list[_A]]:
    """Rows by the run id in their first column, the rest of each read by `read`."""
    found: defaultdict[str, list[_A]] = defaultdict(list)
    for run_id, *values in rows:
        found[run_id].append(read(values))
    return found

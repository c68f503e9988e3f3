"""What callers hand to the one thread that writes, and how they hear of the commit.

What one turn of an event loop brings forth is handed over together, and what has come in while one
group was being committed is the next group. So one sync of the disk serves many callers.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from workflow.errors import WorldError
from workflow.worlds.changes import Answers

__all__ = ["Job", "Jobs", "answering"]

# How many operations share one commit at most: bounds the time that everybody else waits.
_GROUP = 256


class _Signal(Enum):
    LOOK = "somebody else has committed"
    STOP = "the world is being closed"


@dataclass(slots=True, eq=False)
class Job:
    """One caller's operation. When it is `done`, there is the answer of its commit or an error."""

    operation: Any
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    exclusive: str | None  # the run of which a group may have no other exclusive operation
    gives_work: bool  # whether somebody may have something to claim afterwards
    answer: Any = None
    error: BaseException | None = None
    done: bool = False


class Jobs:
    """A queue from any number of event loops to one thread."""

    def __init__(self, closed: str) -> None:
        """`closed` is what callers are told after `close`."""
        self._closed = closed
        self._queue: queue.SimpleQueue[list[Job] | _Signal] = queue.SimpleQueue()
        self._collected: dict[asyncio.AbstractEventLoop, list[Job]] = {}
        self._waiting: list[Job] = []  # for the next group
        self._gate = threading.Lock()
        self._closing = False

    async def hand_in(self, operation: Any, exclusive: str | None, gives_work: bool) -> Any:
        """Have `operation` done; its answer after the commit. Raises WorldError when closed."""
        loop = asyncio.get_running_loop()
        job = Job(operation, loop.create_future(), loop, exclusive, gives_work)
        with self._gate:
            if self._closing:
                raise WorldError(self._closed)
            collected = self._collected.get(loop)
            if collected is None:
                self._collected[loop] = [job]
                loop.call_soon(self._hand_over, loop)
            else:
                collected.append(job)
        return await job.future

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._gate:
            jobs = self._collected.pop(loop, None)
            if jobs is not None:
                self._queue.put(jobs)

    def look(self) -> None:
        """Have the thread look around, by an empty group."""
        self._queue.put(_Signal.LOOK)

    def close(self) -> None:
        """Refuse new operations, and end `groups` after those that are there."""
        with self._gate:
            self._closing = True
            for jobs in self._collected.values():
                self._queue.put(jobs)
            self._collected.clear()
        self._queue.put(_Signal.STOP)

    # -- in the thread ---------------------------------------------------------------------

    def groups(self, poll: float | None = None) -> Iterator[list[Job]]:
        """What has come in since the group before, a commit at a time, until `close`.

        No two of a group are exclusive on one run. A group may be empty: after `look`, or when
        nothing has come in for `poll` seconds.
        """
        last = False
        while not last or self._waiting:
            jobs, ends = self._gather(None if last else poll, block=not last)
            last = last or ends
            yield self._choose(jobs)

    def put_back(self, jobs: list[Job]) -> None:
        """Have these come first in the next group."""
        self._waiting = [*jobs, *self._waiting]

    def _gather(self, poll: float | None, *, block: bool) -> tuple[list[Job], bool]:
        """What has come in, and whether it is the last."""
        jobs, self._waiting = self._waiting, []
        while len(jobs) < _GROUP:
            try:
                found = self._queue.get(block and not jobs, poll)
            except queue.Empty:
                break
            if isinstance(found, _Signal):
                return jobs, found is _Signal.STOP
            jobs += found
        return jobs, False

    def _choose(self, jobs: list[Job]) -> list[Job]:
        group: list[Job] = []
        taken: set[str] = set()
        for job in jobs:
            if len(group) == _GROUP or job.exclusive in taken:
                self._waiting.append(job)
                continue
            if job.exclusive is not None:
                taken.add(job.exclusive)
            group.append(job)
        return group


def answering(group: list[Job]) -> Answers:
    """What gives the callers their answers, one call for each event loop."""
    loops: dict[asyncio.AbstractEventLoop, list[Job]] = {}
    for job in group:
        loops.setdefault(job.loop, []).append(job)
    return {loop: [partial(_resolve, jobs)] for loop, jobs in loops.items()}


def _resolve(jobs: list[Job]) -> None:
    for job in jobs:
        if job.future.done():  # the caller was cancelled; what it asked for is done all the same
            continue
        if job.error is None:
            job.future.set_result(job.answer)
        else:
            job.future.set_exception(job.error)

"""The one thread that appends, and the group commit.

The thread takes whatever has come in since its last commit and runs it as one batch. While a batch
is on its way, the next one gathers. A second connection would only make the batches smaller.

A batch that fails before its commit was sent has done nothing: after a deadlock or a lost
connection it is run again, and when one operation is at fault they are run one by one, which leaves
the error with the one that caused it. When the connection is lost after the commit was sent, nobody
knows what became of it; all get a WorldError, and owners read their runs again.

Nobody waits long for a row that somebody else holds locked, as the caller's transaction does in
which a run is started: the operation that needs it fails, and the others go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, Protocol

import psycopg
from psycopg.pq import TransactionStatus

from workflow.errors import SerializationError, WorkflowError, WorldError
from workflow.world.port import Clock
from workflow.world.records import Append
from workflow.worlds.changes import Answers, Changes
from workflow.worlds.postgres.appends import answers, statement
from workflow.worlds.postgres.batch import Batch
from workflow.worlds.postgres.store import CONFLICTS, Database, lost
from workflow.worlds.rules.batch import Again, Operation, Wants
from workflow.worlds.rules.quiet import Quiet
from workflow.worlds.rules.runs import Appending
from workflow.worlds.rules.short import is_short

__all__ = ["UnknownOutcome", "Writer"]

# How many operations share one commit at most.
_GROUP = 256

# How often a group is tried when it met a deadlock or its rows moved.
_TRIES = 8

# How long a group waits for locks, in milliseconds, and how long an operation alone does when its
# group has waited in vain. Longer than the server takes to find a deadlock, which is a second.
_PATIENCE, _IMPATIENCE = 3000, 50


class UnknownOutcome(WorldError):
    """The connection was lost while a commit was on its way: it may be in, or may still get in."""


class _Signal(Enum):
    STOP = "the world is being closed"


@dataclass(slots=True, eq=False)
class _Job:
    """One caller's operation. When it is `done`, there is the answer of its commit or an error."""

    operation: Operation
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    answer: Any = None
    error: BaseException | None = None
    done: bool = False


class Tell(Protocol):
    """Tells the other processes of a commit."""

    def __call__(self, *, soon: bool) -> None: ...


class Writer:
    """Owner of the appending connection. `close` runs what was handed in before."""

    def __init__(
        self, database: Database, clock: Clock, changes: Changes, quiet: Quiet, tell: Tell
    ) -> None:
        self._database = database
        self._clock = clock
        self._changes = changes
        self._quiet = quiet
        self._tell = tell
        self._connection: psycopg.Connection[Any] | None = None
        self._jobs: queue.SimpleQueue[list[_Job] | _Signal] = queue.SimpleQueue()
        self._collected: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
        self._waiting: list[_Job] = []  # for the next group
        self._gate = threading.Lock()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="workflow-append", daemon=True)
        self._thread.start()

    async def run(self, operation: Operation) -> Any:
        """Run `operation` in a transaction; its answer after the commit."""
        loop = asyncio.get_running_loop()
        job = _Job(operation, loop.create_future(), loop)
        with self._gate:
            if self._closing:
                raise WorldError("the world is closed; call `await world.open()` first")
            collected = self._collected.get(loop)
            if collected is None:
                # What one turn of the event loop brings forth shares a commit and a hand-over.
                self._collected[loop] = [job]
                loop.call_soon(self._hand_over, loop)
            else:
                collected.append(job)
        return await job.future

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._gate:
            jobs = self._collected.pop(loop, None)
            if jobs is not None:
                self._jobs.put(jobs)

    def close(self) -> None:
        """Refuse new operations, finish the others, end the thread. Blocks meanwhile."""
        with self._gate:
            self._closing = True
            for jobs in self._collected.values():
                self._jobs.put(jobs)
            self._collected.clear()
        self._jobs.put(_Signal.STOP)
        self._thread.join()
        if self._connection is not None:
            self._connection.close()

    # -- in the thread ---------------------------------------------------------------------

    def _work(self) -> None:
        last = False
        while not last or self._waiting:
            jobs, ends = self._gather(last)
            last = last or ends
            group = self._choose(jobs)
            if group:
                self._commit(group)

    def _gather(self, last: bool) -> tuple[list[_Job], bool]:
        """What has come in since the last commit, and whether the writer is to end after it."""
        jobs, self._waiting = self._waiting, []
        while len(jobs) < _GROUP:
            try:
                found = self._jobs.get(block=not jobs and not last)
            except queue.Empty:
                break
            if isinstance(found, _Signal):
                return jobs, True
            jobs += found
        return jobs, False

    def _choose(self, jobs: list[_Job]) -> list[_Job]:
        """A group of which no two are exclusive on one run; the rest waits for the next."""
        group: list[_Job] = []
        taken: set[str] = set()
        for job in jobs:
            run = job.operation.exclusive
            if len(group) == _GROUP or (run is not None and run in taken):
                self._waiting.append(job)
                continue
            if run is not None:
                taken.add(run)
            group.append(job)
        return group

    def _commit(self, group: list[_Job]) -> None:
        try:
            left = self._attempt(group, _PATIENCE)
        except WorldError as error:
            left = _fail(group, error)
        except Exception:
            # One of them has something in it that PostgreSQL does not take, or waits for a lock.
            left = self._one_by_one([job for job in group if not job.done])
        self._waiting = [*left, *self._waiting]
        done = [job for job in group if job.done]
        if any(job.operation.gives_work for job in done):
            self._quiet.end()
        self._changes.bump(_answers(done))  # also after an error: it may have been done
        # A turn that neither needs nor leaves others anything to do is no hurry of theirs.
        self._tell(soon=not all(_private(job.operation) for job in done))

    def _one_by_one(self, group: list[_Job]) -> list[_Job]:
        """Run each operation in a commit of its own; those that have to be run again."""
        left: list[_Job] = []
        for place, job in enumerate(group):
            try:
                left += self._attempt([job], _IMPATIENCE)
            except WorldError as error:
                return left + _fail(group[place:], error)  # the database is away
            except Exception as alone:
                _fail([job], self._told_as(alone))
        return left

    def _told_as(self, error: Exception) -> BaseException:
        if isinstance(error, psycopg.Error):
            return self._database.describe(error)
        if isinstance(error, ValueError):
            # Trying again would not help: whoever wrote such a value has to hear of it.
            return SerializationError(f"{self._database.place}: {error}")
        return error

    def _attempt(self, group: list[_Job], patience: int) -> list[_Job]:
        """Run and commit a group; those that have to be run again with others.

        Raises WorldError when the outcome is unknown or the database is away, and what
        PostgreSQL says when an operation spoilt the group.
        """
        lost_before = False
        for trial in range(_TRIES):
            try:
                self._short(group, patience)
                return self._transaction([job for job in group if not job.done], patience)
            except psycopg.Error as error:
                if lost(error):
                    self._drop()
                    if lost_before:
                        raise self._database.describe(error) from error
                    lost_before = True
                elif not isinstance(error, CONFLICTS) or trial == _TRIES - 1:
                    raise
                else:
                    time.sleep(random.uniform(0, 0.002 * 2**trial))
        raise AssertionError("unreachable")

    def _short(self, group: list[_Job], patience: int) -> None:
        """Do the appends that one statement can do."""
        jobs: list[_Job] = []
        appends: list[Append] = []
        for job in group:
            operation = job.operation
            if not job.done and isinstance(operation, Appending) and is_short(operation.asked):
                jobs.append(job)
                appends.append(operation.asked)
        if not jobs:
            return
        query, values = statement(self._database.queries, appends, self._clock.now())
        connection = self._connected()
        try:
            if patience == _PATIENCE and not self._database.pooled:
                found = connection.execute(query, values, binary=True)
            else:
                with connection.pipeline():
                    connection.execute("begin")
                    connection.execute(_wait(patience))
                    found = connection.execute(query, values, binary=True)
                    connection.execute("commit")
        except psycopg.Error as error:
            if lost(error):
                self._drop()
                raise self._unknown() from error
            self._roll_back()
            raise
        for job, answer in zip(jobs, answers(appends, dict(found)), strict=True):
            if answer is not None:
                job.answer, job.error, job.done = answer, None, True

    def _transaction(self, group: list[_Job], patience: int) -> list[_Job]:
        if not group:
            return []
        connection = self._connected()
        known = self._database.queries

        def execute(name: str, values: Mapping[str, Any]) -> psycopg.Cursor[Any]:
            return connection.execute(known[name], values, binary=True)

        wants = Wants()
        for job in group:
            job.operation.wants(wants)
        batch = Batch(self._clock.now())
        again: list[_Job] = []
        try:
            standard = patience == _PATIENCE and not self._database.pooled
            batch.lock(connection, execute, wants, None if standard else _wait(patience))
            for job in group:
                job.error = None
                try:
                    job.answer = job.operation.apply(batch)
                except Again:
                    again.append(job)
                except WorkflowError as error:  # raised before changing anything: an answer
                    job.error = error
            sent = False
            try:
                with connection.pipeline():
                    batch.write(execute)
                    sent = True
                    connection.execute("commit")
            except psycopg.Error as error:
                if sent and lost(error):
                    self._drop()
                    raise self._unknown() from error
                raise
        except BaseException:
            self._roll_back()
            raise
        for job in group:
            job.done = job not in again
        return again

    def _unknown(self) -> UnknownOutcome:
        return UnknownOutcome(
            f"{self._database.place} was lost while it was committing; whether it did is not known"
        )

    def _roll_back(self) -> None:
        connection = self._connection
        if connection is None or connection.info.transaction_status is TransactionStatus.IDLE:
            return
        try:
            connection.execute("rollback")
        except psycopg.Error:
            self._drop()

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = self._database.connect()
            if not self._database.pooled:
                self._connection.execute(_wait(_PATIENCE, local=False))
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                connection.close()


def _wait(milliseconds: int, *, local: bool = True) -> bytes:
    return f"set {'local ' if local else ''}lock_timeout = {milliseconds}".encode()


def _fail(group: list[_Job], error: BaseException) -> list[_Job]:
    """End the jobs that are not done with an error."""
    for job in group:
        if not job.done:
            job.error, job.done = error, True
    return []


def _private(operation: Operation) -> bool:
    return isinstance(operation, Appending) and not operation.gives_work


def _answers(group: list[_Job]) -> Answers:
    """What gives the callers their answers, one call for each event loop."""
    loops: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in group:
        loops.setdefault(job.loop, []).append(job)
    return {loop: [partial(_resolve, jobs)] for loop, jobs in loops.items()}


def _resolve(jobs: list[_Job]) -> None:
    for job in jobs:
        if job.future.done():  # the caller was cancelled; what it asked for is done all the same
            continue
        if job.error is None:
            job.future.set_result(job.answer)
        else:
            job.future.set_exception(job.error)

"""The one thread that appends, and the group commit.

The thread takes whatever has come in since its last commit and runs it as one batch. A second
connection would only make the batches smaller.

A batch that fails before its commit was sent has done nothing: after a deadlock or a lost
connection it is run again, and when one operation is at fault they are run one by one, which leaves
the error with the one that caused it. When the connection is lost after the commit was sent, nobody
knows what became of it; all get a WorldError, and owners read their runs again.

Nobody waits long for a row that somebody else holds locked, as the caller's transaction does in
which a run is started: the operation that needs it fails, and the others go on.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Mapping
from typing import Any, Protocol

import psycopg
from psycopg.pq import TransactionStatus

from workflow.errors import SerializationError, WorkflowError, WorldError
from workflow.world.port import Clock
from workflow.world.records import Append
from workflow.worlds.changes import Changes
from workflow.worlds.jobs import Job, Jobs, answering
from workflow.worlds.postgres.appends import answers, statement
from workflow.worlds.postgres.batch import Batch
from workflow.worlds.postgres.store import CONFLICTS, Database, lost
from workflow.worlds.rules.batch import Again, Operation, Wants
from workflow.worlds.rules.quiet import Quiet
from workflow.worlds.rules.runs import Appending
from workflow.worlds.rules.short import is_short

__all__ = ["UnknownOutcome", "Writer"]

# How often a group is tried when it met a deadlock or its rows moved.
_TRIES = 8

# How long a group waits for locks, in milliseconds, and how long an operation alone does when its
# group has waited in vain. Longer than the server takes to find a deadlock, which is a second.
_PATIENCE, _IMPATIENCE = 3000, 50


class UnknownOutcome(WorldError):
    """The connection was lost while a commit was on its way: it may be in, or may still get in."""


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
        self._jobs = Jobs("the world is closed; call `await world.open()` first")
        self._thread = threading.Thread(target=self._work, name="workflow-append", daemon=True)
        self._thread.start()

    async def run(self, operation: Operation) -> Any:
        """Run `operation` in a transaction; its answer after the commit."""
        return await self._jobs.hand_in(operation, operation.exclusive, operation.gives_work)

    def close(self) -> None:
        """Refuse new operations, finish the others, end the thread. Blocks meanwhile."""
        self._jobs.close()
        self._thread.join()
        if self._connection is not None:
            self._connection.close()

    # -- in the thread ---------------------------------------------------------------------

    def _work(self) -> None:
        for group in self._jobs.groups():
            if group:
                self._commit(group)

    def _commit(self, group: list[Job]) -> None:
        try:
            left = self._attempt(group, _PATIENCE)
        except WorldError as error:
            left = _fail(group, error)
        except Exception:
            # One of them has something in it that PostgreSQL does not take, or waits for a lock.
            left = self._one_by_one([job for job in group if not job.done])
        self._jobs.put_back(left)
        done = [job for job in group if job.done]
        gives_work = any(job.gives_work for job in done)
        if gives_work:
            self._quiet.end()
        # Also after an error: it may have been done.
        self._changes.bump(answering(done), gives_work=gives_work)
        # A turn that neither needs nor leaves others anything to do is no hurry of theirs.
        self._tell(soon=not all(_private(job.operation) for job in done))

    def _one_by_one(self, group: list[Job]) -> list[Job]:
        """Run each operation in a commit of its own; those that have to be run again."""
        left: list[Job] = []
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

    def _attempt(self, group: list[Job], patience: int) -> list[Job]:
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

    def _short(self, group: list[Job], patience: int) -> None:
        """Do the appends that one statement can do."""
        jobs: list[Job] = []
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

    def _transaction(self, group: list[Job], patience: int) -> list[Job]:
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
        again: list[Job] = []
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


def _fail(group: list[Job], error: BaseException) -> list[Job]:
    """End the jobs that are not done with an error."""
    for job in group:
        if not job.done:
            job.error, job.done = error, True
    return []


def _private(operation: Operation) -> bool:
    return isinstance(operation, Appending) and not operation.gives_work

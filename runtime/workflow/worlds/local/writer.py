"""The one thread that writes, and the group commit.

The thread takes whatever has come in since its last commit, runs all of it in one transaction, and
answers after the commit. Appends that need nothing but their run go first, by one statement for
each table; then the other operations of the port's rules, as a batch of rows in memory; then
functions that work on the file themselves.

An operation either checks and raises before it writes, or writes all it has to. An error of SQLite
therefore spoils a group as a whole: it is rolled back and its operations are run again one by one,
which leaves the error with the one that caused it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from workflow.errors import SerializationError, WorkflowError, WorldError
from workflow.world.port import Clock
from workflow.worlds.changes import Changes
from workflow.worlds.jobs import Job, Jobs, answering
from workflow.worlds.local.batch import append_short, read, write
from workflow.worlds.local.log_file import LogFile
from workflow.worlds.local.peers import Peers
from workflow.worlds.local.side_lock import SideLock
from workflow.worlds.local.store import Tx, describe, rollback
from workflow.worlds.rules.batch import Operation, Wants
from workflow.worlds.rules.runs import Appending
from workflow.worlds.rules.short import is_short

__all__ = ["Writer"]

_T = TypeVar("_T")

# How often an idle writer looks for commits of other processes, in seconds: when they send word,
# and when they cannot.
_SLOW_POLL, _FAST_POLL = 0.25, 0.02

# How often the writer makes sure that its file is the one at its path, in seconds.
_CHECK = 0.25


class Writer:
    """Owner of the writing connection. `close` runs what was handed in before."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, lock: SideLock, clock: Clock,
        changes: Changes, wake_folder: Path,
    ) -> None:  # fmt: skip
        self._path = path
        self._file = os.stat(path)
        self._checked_at = 0.0
        self._connection = connection
        self._lock = lock
        self._changes = changes
        self._tx = Tx(connection, clock)
        self._log = LogFile(path, connection)
        self._jobs = Jobs(f"{path} is closed; call `await world.open()` first")
        self._version = self._data_version()
        self._peers = Peers(wake_folder, self._jobs.look)
        self._poll = _SLOW_POLL if self._peers.working else _FAST_POLL
        self._thread = threading.Thread(target=self._work, name="workflow-writer", daemon=True)
        self._thread.start()

    async def apply(self, operation: Operation) -> Any:
        """Apply an operation of the port's rules; its answer after the commit."""
        return await self._jobs.hand_in(operation, operation.exclusive, operation.gives_work)

    async def run(self, function: Callable[[Tx], _T], *, gives_work: bool = True) -> _T:
        """Run a function in a transaction; its value after the commit. May be run twice.

        `gives_work` says whether somebody may have something to claim afterwards.
        """
        value: _T = await self._jobs.hand_in(function, None, gives_work)
        return value

    def close(self) -> None:
        """Refuse new operations, finish the others, end the thread. Blocks meanwhile."""
        self._jobs.close()
        self._thread.join()
        self._peers.close()
        self._log.close()

    # -- in the thread ---------------------------------------------------------------------

    def _work(self) -> None:
        for group in self._jobs.groups(self._poll):
            if group:
                self._commit(group)
            else:
                self._notice_others()  # otherwise our waiters have been woken anyway

    def _commit(self, group: list[Job]) -> None:
        if not self._attempt(group) and len(group) > 1:
            for job in group:
                self._attempt([job])
        self._log.keep_short(self._lock)
        calls = answering(group)
        if any(job.error is None for job in group):
            # A folder that is gone is noticed at once, and another file in it soon. Asking each
            # time would give up the interpreter once more for each commit.
            if not self._peers.tell() or time.monotonic() - self._checked_at > _CHECK:
                self._check_kept(group)
            # Last: every system call after it would take the interpreter from who goes on.
            self._changes.bump(calls, gives_work=any(job.gives_work for job in group))
        else:
            self._changes.call(calls)

    def _attempt(self, group: list[Job]) -> bool:
        """Run and commit a group. False when one of its operations spoilt it.

        When the lock, the begin or the commit fails, running them again would not help: all get
        the error.
        """
        running = False
        for job in group:
            job.error = None
        try:
            with self._lock:
                rollback(self._connection)  # what an earlier failure may have left
                self._connection.execute("begin immediate")
                try:
                    running = True
                    self._perform(group)
                    running = False
                    self._connection.execute("commit")
                except BaseException:
                    rollback(self._connection)
                    raise
                if any(job.gives_work for job in group):
                    self._lock.add_news()
        except Exception as error:
            told: BaseException = error
            if isinstance(error, sqlite3.Error):
                told = describe(error, self._path)
            elif isinstance(error, OSError):
                told = WorldError(f"{self._path} cannot be used: {error}")
            elif isinstance(error, UnicodeEncodeError):
                # Trying again would not help: whoever wrote such a text has to hear of it.
                told = SerializationError(f"{self._path}: {error}")
            for job in group:
                job.error = told
            return not running
        return True

    def check_kept(self) -> None:
        """Raise WorldError if the path leads to another file than the one in use, or to none."""
        try:
            kept = os.path.samestat(os.stat(self._path), self._file)
        except OSError:
            kept = False
        if not kept:
            raise WorldError(
                f"{self._path} was deleted or replaced while it was in use, and nothing can be "
                "kept in it; put the file back, or start this process again"
            )

    def _check_kept(self, group: list[Job]) -> None:
        """Take back the answers to a commit if the path leads to another file, or to none.

        SQLite goes on in a file that was deleted, and what it commits there is gone with us.
        """
        self._checked_at = time.monotonic()
        try:
            self.check_kept()
        except WorldError as told:
            for job in group:
                job.error = told

    def _perform(self, group: list[Job]) -> None:
        tx = self._tx
        short: list[Job] = []
        operations: list[Job] = []
        functions: list[Job] = []
        for job in group:
            if isinstance(job.operation, Appending) and is_short(job.operation.asked):
                short.append(job)
            else:
                (functions if callable(job.operation) else operations).append(job)
        if short:
            answered = append_short(tx, [job.operation.asked for job in short])
            for job, answer in zip(short, answered, strict=True):
                job.answer = answer
                if answer is None:
                    operations.append(job)
        if operations:
            wants = Wants()
            for job in operations:
                job.operation.wants(wants)
            batch = read(tx, wants)
            for job in operations:
                _answer_with(job, job.operation.apply, batch)
            write(tx, batch)
        for job in functions:
            _answer_with(job, job.operation, tx)

    def _notice_others(self) -> None:
        """Wake our waiters if another connection has committed."""
        with contextlib.suppress(sqlite3.Error):
            version = self._data_version()
            if version != self._version:
                self._version = version
                self._changes.bump()

    def _data_version(self) -> int:
        (version,) = self._connection.execute("pragma data_version").fetchone()
        return int(version)


def _answer_with(job: Job, work: Callable[[Any], Any], rows: Any) -> None:
    try:
        job.answer = work(rows)
    except WorkflowError as error:  # raised before writing: an answer
        job.error = error

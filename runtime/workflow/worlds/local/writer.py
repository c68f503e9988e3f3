"""The one thread that writes, and the group commit.

Callers hand in functions that read and write inside a transaction. The thread takes whatever has
come in since its last commit, runs all of it in one transaction, and answers after the commit. So
one sync of the disk serves everybody who came in while the one before it was running.

A function either checks and raises before it writes, or writes all it has to. An error of SQLite
therefore spoils a group as a whole: it is rolled back and its functions are run again one by one,
which leaves the error with the one that caused it.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from workflow.errors import WorkflowError, WorldError
from workflow.world.port import Clock
from workflow.worlds.changes import Changes
from workflow.worlds.local.peers import Peers
from workflow.worlds.local.store import SideLock, Tx, describe, rollback

__all__ = ["Writer"]

_T = TypeVar("_T")

# How many operations share one commit at most: bounds the time that other processes wait.
_GROUP = 256

# How often an idle writer looks for commits of other processes, in seconds: when they send word,
# and when they cannot.
_SLOW_POLL, _FAST_POLL = 0.25, 0.02


class _Signal(Enum):
    LOOK = "another process has committed"
    STOP = "the world is being closed"


@dataclass(slots=True, eq=False)
class _Job:
    """One caller's operation. `answer` is set after the commit, or `error`."""

    operation: Callable[[Tx], Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    answer: Any = None
    error: BaseException | None = None


class Writer:
    """Owner of the writing connection. `close` runs what was handed in before."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, lock: SideLock, clock: Clock,
        changes: Changes, wake_folder: Path,
    ) -> None:  # fmt: skip
        self._path = path
        self._connection = connection
        self._lock = lock
        self._changes = changes
        self._tx = Tx(connection, clock)
        self._jobs: queue.SimpleQueue[_Job | _Signal] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._closing = False
        self._version = self._data_version()
        self._peers = Peers(wake_folder, lambda: self._jobs.put(_Signal.LOOK))
        self._poll = _SLOW_POLL if self._peers.working else _FAST_POLL
        self._thread = threading.Thread(target=self._work, name="workflow-writer", daemon=True)
        self._thread.start()

    async def run(self, operation: Callable[[Tx], _T]) -> _T:
        """Run `operation` in a transaction; its value after the commit. May be run twice."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()
        with self._gate:
            if self._closing:
                raise WorldError(f"{self._path} is closed; call `await world.open()` first")
            self._jobs.put(_Job(operation, future, loop))
        return await future

    def close(self) -> None:
        """Refuse new operations, finish the others, end the thread. Blocks meanwhile."""
        with self._gate:
            self._closing = True
        self._jobs.put(_Signal.STOP)
        self._thread.join()
        self._peers.close()

    # -- in the thread ---------------------------------------------------------------------

    def _work(self) -> None:
        last = False
        while not last:
            group, last = self._gather()
            if group:
                self._commit(group)
            self._notice_others()

    def _gather(self) -> tuple[list[_Job], bool]:
        """What has come in since the last commit, and whether the writer is to end after it."""
        group: list[_Job] = []
        try:
            job = self._jobs.get(timeout=self._poll)
            while not isinstance(job, _Signal):
                group.append(job)
                if len(group) == _GROUP:
                    return group, False
                job = self._jobs.get_nowait()
        except queue.Empty:
            return group, False
        return group, job is _Signal.STOP

    def _commit(self, group: list[_Job]) -> None:
        if not self._attempt(group) and len(group) > 1:
            for job in group:
                self._attempt([job])
        if any(job.error is None for job in group):
            self._changes.bump()
        _answer(group)
        if any(job.error is None for job in group):
            self._peers.tell()

    def _attempt(self, group: list[_Job]) -> bool:
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
                    for job in group:
                        try:
                            job.answer = job.operation(self._tx)
                        except WorkflowError as error:  # raised before writing: an answer
                            job.error = error
                    running = False
                    self._connection.execute("commit")
                except BaseException:
                    rollback(self._connection)
                    raise
        except Exception as error:
            told: BaseException = error
            if isinstance(error, sqlite3.Error):
                told = describe(error, self._path)
            elif isinstance(error, OSError):
                told = WorldError(f"{self._path} cannot be used: {error}")
            for job in group:
                job.error = told
            return not running
        return True

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


def _answer(group: list[_Job]) -> None:
    """Give the callers their answers, with one call into each event loop."""
    loops: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in group:
        loops.setdefault(job.loop, []).append(job)
    for loop, jobs in loops.items():
        with contextlib.suppress(RuntimeError):  # a closed loop has nobody left to answer
            loop.call_soon_threadsafe(_resolve, jobs)


def _resolve(jobs: list[_Job]) -> None:
    for job in jobs:
        if job.future.done():  # the caller was cancelled; what it asked for is done all the same
            continue
        if job.error is None:
            job.future.set_result(job.answer)
        else:
            job.future.set_exception(job.error)

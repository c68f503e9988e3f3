"""The lock that the writers of a folder queue at.

SQLite's own waiting polls and starves: of two busy writers one waited for seconds. Waiting for this
lock is fair, and costs nothing when nobody else is there.

Whoever holds it for long keeps everybody else from writing. A process that was stopped with Ctrl-Z
in the middle of a commit does so until somebody finds out; so those that wait say who it is.
"""

from __future__ import annotations

import fcntl
import logging
import mmap
import os
import struct
import threading
import time
import weakref
from pathlib import Path

__all__ = ["SideLock"]

log = logging.getLogger("workflow.world")

# Seconds of waiting after which we say what we wait for, and after which we say it again.
_PATIENCE, _SAY_AGAIN = 3.0, 60.0

_NUMBER = struct.Struct("=Q")
_NEWS, _HOLDER = 0, _NUMBER.size  # where in the file the numbers are
_SIZE = 2 * _NUMBER.size


class SideLock:
    """A file whose exclusive lock is taken before `begin immediate`.

    The file also holds two numbers that everybody can read without asking anybody: how many commits
    have made work, and the process that had the lock last.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._memory: mmap.mmap | None = None
        self._guard = threading.Lock()
        self._closed = threading.Event()
        self._watched = False
        self._since: float | None = None  # waiting
        try:
            with self:
                missing = _SIZE - os.fstat(self._file).st_size
                if missing > 0:
                    os.pwrite(self._file, bytes(missing), _SIZE - missing)  # its place on the disk
            self._memory = mmap.mmap(self._file, _SIZE)
        except BaseException:
            self._closed.set()
            os.close(self._file)
            raise
        _locks.add(self)

    def __enter__(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._wait()
        if self._memory is not None:
            _NUMBER.pack_into(self._memory, _HOLDER, os.getpid())

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)

    @property
    def news(self) -> int:
        """The number of commits that made work, by all processes."""
        assert self._memory is not None
        number: int = _NUMBER.unpack_from(self._memory, _NEWS)[0]
        return number

    def add_news(self) -> None:
        """Count a commit. Hold the lock.

        A process that is killed between its commit and this leaves work that the others notice only
        with the next beat of a worker.
        """
        assert self._memory is not None
        _NUMBER.pack_into(self._memory, _NEWS, self.news + 1)

    def close(self) -> None:
        """Let the file go. Nobody may hold the lock or wait for it."""
        self._closed.set()
        self.forget()

    def forget(self) -> None:
        """Let the file go in a child made by fork, where no other thread is."""
        _locks.discard(self)
        if self._memory is not None:
            self._memory.close()
        os.close(self._file)

    # -- waiting -------------------------------------------------------------------------------

    def _wait(self) -> None:
        with self._guard:
            self._since = time.monotonic()
            if not self._watched:
                self._watched = True
                threading.Thread(target=self._watch, name="workflow-lock", daemon=True).start()
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
        finally:
            self._since = None

    def _watch(self) -> None:
        """Say that somebody waits for long, as long as there is somebody who waits."""
        told = 0.0
        while not self._closed.wait(_PATIENCE):
            with self._guard:
                since = self._since
                if since is None:
                    self._watched = False
                    return
            now = time.monotonic()
            if now - since >= _PATIENCE and (told < since or now - told >= _SAY_AGAIN):
                told = now
                log.warning("%s", self._complaint(now - since))

    def _complaint(self, seconds: float) -> str:
        """Whom we wait for, and what to do about it."""
        waiting = f"waiting for {seconds:.0f} s to write to {self._path.parent}: "
        numbers = os.pread(self._file, _SIZE, 0)
        holder = _NUMBER.unpack_from(numbers, _HOLDER)[0] if len(numbers) == _SIZE else 0
        state = _state_of(holder)
        if holder == 0 or state is None:
            return (
                f"{waiting}another process is in the middle of a commit. Look for one that was "
                "stopped (Ctrl-Z, a debugger), in other containers too, and let it go on or end it"
            )
        if state in "Tt":
            return (
                f"{waiting}process {holder} was stopped (Ctrl-Z, a debugger) in the middle of a "
                f"commit. Let it go on with `kill -CONT {holder}`, or end it with `kill -KILL "
                f"{holder}`, which loses nothing that was acknowledged"
            )
        return (
            f"{waiting}process {holder} is in the middle of a commit. Is the disk slow or full of "
            "other work?"
        )


def _state_of(pid: int) -> str | None:
    """What a process does, T for stopped; `?` where that cannot be seen, None where it is not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except (OSError, OverflowError):
        return "?"
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return "?"


# A forked child shares its parent's lock, and would keep it if the parent died while writing.
_locks: weakref.WeakSet[SideLock] = weakref.WeakSet()


def _forget_parent() -> None:
    for lock in list(_locks):
        lock.forget()


os.register_at_fork(after_in_child=_forget_parent)

"""Signs of life of worker processes on one machine.

Every worker holds an exclusive lock on a file of its own. The kernel drops the lock when the
process dies, however it dies, so a free lock means a dead worker at once, without waiting for
its lease. A stopped process keeps its lock and loses by lease time.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import time
import weakref
from collections.abc import Collection
from pathlib import Path

__all__ = ["LifeSigns"]

_TRIES = 50


class LifeSigns:
    """The lock files in one folder, and those that this process holds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, int] = {}
        folder.mkdir(mode=0o700, exist_ok=True)
        _everywhere.add(self)

    def show(self, worker: str) -> None:
        """Hold a worker's lock from now on."""
        if worker in self._held:
            return
        path = self._path(worker)
        for _ in range(_TRIES):
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _same_file(file, path):
                    self._held[worker] = file
                    return
            # Somebody looks at it, or swept it away before we had the lock.
            os.close(file)
            time.sleep(0.001)
        # Another world of this process shows it already.

    def is_dead(self, worker: str) -> bool:
        """Whether a worker's process is known to be gone. False when its file is missing."""
        if worker in self._held:
            return False
        return _take(self._path(worker), remove=False)

    def hide(self, worker: str) -> None:
        """Let a worker's lock go."""
        file = self._held.pop(worker, None)
        if file is not None:
            self._path(worker).unlink(missing_ok=True)
            os.close(file)

    def sweep(self, keep: Collection[str]) -> None:
        """Remove the files of dead workers, except of those in `keep`: somebody who dies right now
        would count as alive without one, until the lease runs out."""
        kept = set(map(self._path, keep))
        for path in self._folder.glob("*.lock"):
            if path not in kept:
                _take(path, remove=True)

    def close(self) -> None:
        """Let all locks go. The files stay: others see at once that nobody holds them."""
        while self._held:
            os.close(self._held.popitem()[1])

    def _path(self, worker: str) -> Path:
        return self._folder / f"{hashlib.sha256(worker.encode()).hexdigest()[:32]}.lock"


def _take(path: Path, *, remove: bool) -> bool:
    """Whether the lock of an existing file was free."""
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        if remove and _same_file(file, path):
            path.unlink(missing_ok=True)
        return True
    finally:
        os.close(file)


def _same_file(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))
    except FileNotFoundError:
        return False


# A forked child shares its parent's locks, and would keep a dead parent looking alive.
_everywhere: weakref.WeakSet[LifeSigns] = weakref.WeakSet()


def _forget_parent() -> None:
    for signs in list(_everywhere):
        with contextlib.suppress(OSError):
            signs.close()


os.register_at_fork(after_in_child=_forget_parent)

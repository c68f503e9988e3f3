"""Keeping the write-ahead log short.

SQLite by itself moves the log into the database in the middle of a commit, which then takes ten
times as long. Here a thread does it beside the commits, and the writer does what has been committed
meanwhile. Then the next commit begins the log anew, in the place that it has: a commit that makes
the file longer takes twice as long, as the file system has to sync its own books too. Where readers
are in the way for too long, the writer waits for their end.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from pathlib import Path

from workflow.worlds.local.side_lock import SideLock
from workflow.worlds.local.store import BUSY_SECONDS, connect

__all__ = ["LONGEST", "LogFile"]

# Bytes of log after which the writer waits for its end.
LONGEST = 64 * 1024 * 1024

# The thread moves the log after so many bytes more or rows changed. The file does not tell how much
# of it is in use: it keeps its length when the log begins anew.
_BYTES, _ROWS = 4 * 1024 * 1024, 2000

# Moves what no reader needs any more, without waiting for anybody.
_MOVE = "pragma wal_checkpoint(passive)"


class LogFile:
    """The log of the database at `path`, which `connection` writes."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._log = f"{path}-wal"
        self._connection = connection
        connection.execute("pragma wal_autocheckpoint = 0")
        # Opened while the path is known to lead to that database. A file put in its place later
        # shares the log's index with it, which SQLite, opening it, would cut off under our feet.
        self._mover = connect(path, write=True)
        self._wake = threading.Event()
        self._closing = False
        self._nearly_moved = False
        self._moved_at = (0, 0)  # bytes and rows when it was moved last
        self._thread = threading.Thread(target=self._work, name="workflow-log", daemon=True)
        self._thread.start()

    def keep_short(self, lock: SideLock) -> None:
        """To be called by the writer between its transactions."""
        try:
            size = os.stat(self._log).st_size
        except OSError:
            return
        if size > LONGEST:
            with lock:
                self._begin_anew()
            size = 0
        elif self._nearly_moved:
            self._nearly_moved = False
            with lock, contextlib.suppress(sqlite3.Error):
                self._connection.execute(_MOVE).fetchall()
        rows = self._connection.total_changes
        if size < self._moved_at[0]:
            self._moved_at = (size, rows)
        elif size - self._moved_at[0] > _BYTES or rows - self._moved_at[1] > _ROWS:
            self._moved_at = (size, rows)
            self._wake.set()

    def _begin_anew(self) -> None:
        """Move all of the log and cut it off. A reader in the way is not waited for: with the next
        commit it is tried again."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("pragma busy_timeout = 0").fetchall()
            try:
                self._connection.execute("pragma wal_checkpoint(truncate)").fetchall()
            finally:
                wait = round(BUSY_SECONDS * 1000)
                self._connection.execute(f"pragma busy_timeout = {wait}").fetchall()

    def close(self) -> None:
        """End the thread. Blocks meanwhile."""
        self._closing = True
        self._wake.set()
        self._thread.join()

    def _work(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._closing:
                break
            with contextlib.suppress(sqlite3.Error):
                self._mover.execute(_MOVE).fetchall()
                self._nearly_moved = True
        self._mover.close()

"""The database file: how it is opened, kept durable and up to date, and what its errors mean."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from workflow.errors import WorldError
from workflow.world.port import Clock
from workflow.world.records import Micros
from workflow.worlds.local.queries import QUERIES, for_rows

__all__ = ["BUSY_SECONDS", "SCHEMA_VERSION", "Tx", "connect", "explain", "migrate"]

SCHEMA_VERSION = 2

# One script for each version: what takes a file from the version before to this one.
_SCRIPTS = Path(__file__).parent / "schema"

# Written into the file's header, so that somebody else's database is not taken for ours.
_APPLICATION_ID = 0x57464C57

# For foreign tools such as a sqlite3 shell; our own writers queue at the side lock.
BUSY_SECONDS = 10.0

# How many tuples one statement takes at most; fewer are filled up to a power of two.
_ROWS = 128

_ADVICE = {
    "SQLITE_BUSY": "is locked by another program; close the program that holds a transaction open",
    "SQLITE_LOCKED": "is locked by another connection of this process",
    "SQLITE_READONLY": "cannot be written; check the permissions of the file and its folder",
    "SQLITE_FULL": "cannot grow, the disk is full; free some space, nothing written so far is lost",
    "SQLITE_CORRUPT": "is damaged; restore it from a backup, or keep a copy and start a new one",
    "SQLITE_NOTADB": "is not a database of ours; move it away or choose another data directory",
    "SQLITE_CANTOPEN": "cannot be opened; check the path and its permissions",
    "SQLITE_IOERR": "could not be read or written; check the disk",
}


class Tx:
    """A transaction in progress: named queries, and the time it happens at."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    @property
    def now(self) -> Micros:
        return self._clock.now()

    def do(self, query: str, **values: Any) -> int:
        """Run a query that writes; how many rows it touched."""
        return self._connection.execute(QUERIES[query], values).rowcount

    def rows(self, query: str, rows: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Run a query of `groups.sql` for many tuples at once; the rows it returns.

        Every statement gives the interpreter up and has to get it back, which takes 5 ms beside a
        thread that computes. So there is one statement, whatever the number of tuples.
        """
        found: list[Any] = []
        for at in range(0, len(rows), _ROWS):
            part = rows[at : at + _ROWS]
            width, count = len(part[0]), 1 << (len(part) - 1).bit_length()
            values = [value for row in part for value in row]
            values += [None] * (width * (count - len(part)))
            query_ = for_rows(query, width, count)
            found += self._connection.execute(query_, values).fetchall()
        return found

    def one(self, query: str, **values: Any) -> sqlite3.Row | None:
        """The first row of a query."""
        row: sqlite3.Row | None = self._connection.execute(QUERIES[query], values).fetchone()
        return row

    def all(self, query: str, **values: Any) -> list[sqlite3.Row]:
        """All rows of a query."""
        return self._connection.execute(QUERIES[query], values).fetchall()


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """Open the file durably: write-ahead log, synced at every commit."""
    with contextlib.suppress(OSError):  # SQLite says what is wrong
        # Only the owner may read it: it holds keys and payloads. The log takes after it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    connection = sqlite3.connect(
        path,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
    )
    try:
        connection.row_factory = sqlite3.Row
        _refuse_foreign(connection, path)  # before anything is set in it
        (mode,) = connection.execute("pragma journal_mode = wal").fetchone()
        connection.execute("pragma synchronous = full")
        (level,) = connection.execute("pragma synchronous").fetchone()
        if (mode, level) != ("wal", 2):
            raise WorldError(
                f"{path} does not take the settings that keep data safe "
                f"(journal_mode {mode!r}, synchronous {level}); is it on a network file system?"
            )
        if sys.platform == "darwin":  # an ordinary fsync does not reach the disk there
            connection.execute("pragma fullfsync = on")
            connection.execute("pragma checkpoint_fullfsync = on")
        connection.execute("pragma journal_size_limit = 67108864")
        if not write:
            connection.execute("pragma query_only = on")
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    """Raise WorldError for the database of another program."""
    (application,) = connection.execute("pragma application_id").fetchone()
    (version,) = connection.execute("pragma user_version").fetchone()
    (tables,) = connection.execute("select count(*) from sqlite_master").fetchone()
    if application != _APPLICATION_ID and (version or tables):
        raise WorldError(f"{path} {_ADVICE['SQLITE_NOTADB']}")


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the file to `SCHEMA_VERSION`, one transaction per version. Hold the side lock."""
    (version,) = connection.execute("pragma user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise WorldError(
            f"{path} has schema version {version}, this installation knows up to "
            f"{SCHEMA_VERSION}; upgrade workflow-compiler or choose another data directory"
        )
    for step in range(version + 1, SCHEMA_VERSION + 1):
        script = (_SCRIPTS / f"{step}.sql").read_text("utf-8")
        try:
            connection.executescript(
                f"begin immediate;\n{script}\n"
                f"pragma application_id = {_APPLICATION_ID}; pragma user_version = {step}; commit;"
            )
        except sqlite3.Error:
            rollback(connection)
            raise


def rollback(connection: sqlite3.Connection) -> None:
    """Give up the transaction in progress, if SQLite has not done so itself."""
    if connection.in_transaction:
        connection.execute("rollback")


@contextlib.contextmanager
def explain(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and of the file system into a `WorldError` that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise describe(error, path) from error
    except OSError as error:
        raise WorldError(f"{path} cannot be used: {error}") from error
    except UnicodeEncodeError as error:  # half of a surrogate pair
        raise WorldError(f"{path}: {error}") from error


def describe(error: sqlite3.Error, path: Path) -> WorldError:
    """The `WorldError` for an error of SQLite."""
    name = getattr(error, "sqlite_errorname", "") or ""
    for prefix, advice in _ADVICE.items():
        if name.startswith(prefix):
            return WorldError(f"{path} {advice} ({error})")
    return WorldError(f"{path}: {error}")

"""Connections with the named queries of a world, and the one that only beats."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg

from workflow.worlds.postgres.store import Database

__all__ = ["Heart", "Session"]


class Session:
    """A connection with the named queries of one world."""

    def __init__(self, connection: psycopg.Connection[Any], known: Mapping[str, bytes]) -> None:
        self.connection = connection
        self._known = known

    def ask(self, query: str, **values: Any) -> psycopg.Cursor[Any]:
        return self.connection.execute(self._known[query], values, binary=True)

    def one(self, query: str, **values: Any) -> Any:
        return self.ask(query, **values).fetchone()

    def all(self, query: str, **values: Any) -> list[Any]:
        return self.ask(query, **values).fetchall()


class Heart:
    """The connection for signs of life, so that a busy pool cannot cost a lease."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._connection: psycopg.Connection[Any] | None = None

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction. The connection is made again when it was lost."""
        with self._lock, self._database.explain():
            if self._connection is None or self._connection.closed:
                self._connection = self._database.connect()
            try:
                with self._connection.transaction():
                    yield Session(self._connection, self._database.queries)
            except (psycopg.OperationalError, psycopg.InterfaceError):
                self._connection.close()
                raise

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()

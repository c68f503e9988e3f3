"""Connections with the named queries of a world: a few that read and claim, and one that beats."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

from workflow.errors import WorldError
from workflow.worlds.postgres.store import CONFLICTS, Database, lost

__all__ = ["Heart", "Pool", "Session"]

_T = TypeVar("_T")

# How often signs of life are tried when they meet a deadlock.
_TRIES = 5


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


class Pool:
    """At most `size` connections, each used by one thread of ours at a time.

    The threads are not asyncio's own: steps may keep those busy for minutes.
    """

    def __init__(self, database: Database, size: int) -> None:
        self._database = database
        self._idle: list[psycopg.Connection[Any]] = []
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="workflow-read")

    async def run(self, work: Callable[[Session], _T]) -> _T:
        """Do `work` with a connection, waiting for one if all are in use.

        Done once more from the beginning when a connection turns out to have been lost.
        """
        try:
            working = self._threads.submit(self._run, work)
        except RuntimeError:
            raise WorldError("the world is closed; call `await world.open()` first") from None
        return await asyncio.wrap_future(working)

    def close(self) -> None:
        """Finish what was begun and let the connections go. Blocks meanwhile."""
        self._threads.shutdown()
        self._drop_idle()

    def _run(self, work: Callable[[Session], _T]) -> _T:
        with self._database.explain():
            try:
                return self._attempt(work)
            except psycopg.Error as error:
                if not lost(error):
                    raise
            # What was lost while it lay here is found out only by using it.
            self._drop_idle()
            return self._attempt(work)

    def _attempt(self, work: Callable[[Session], _T]) -> _T:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._database.connect()
        try:
            return work(Session(connection, self._database.queries))
        finally:
            self._put_back(connection)

    def _put_back(self, connection: psycopg.Connection[Any]) -> None:
        with contextlib.suppress(psycopg.Error):
            if connection.info.transaction_status is not TransactionStatus.IDLE:
                connection.execute("rollback")
        if connection.info.transaction_status is TransactionStatus.IDLE:
            self._idle.append(connection)
        else:
            connection.close()

    def _drop_idle(self) -> None:
        while True:
            try:
                self._idle.pop().close()
            except IndexError:
                return


class Heart:
    """The connection for signs of life, so that a busy pool cannot cost a lease."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._closed = False
        self._connection: psycopg.Connection[Any] | None = None

    def run(self, work: Callable[[Session], _T]) -> _T:
        """Do `work`, which may be done again, in a transaction. Blocks meanwhile."""
        with self._lock, self._database.explain():
            for trial in range(_TRIES):
                connection = self._connected()
                try:
                    with connection.transaction():
                        return work(Session(connection, self._database.queries))
                except psycopg.Error as error:
                    if lost(error):
                        connection.close()
                        if trial:
                            raise
                    elif not isinstance(error, CONFLICTS) or trial == _TRIES - 1:
                        raise
                    else:
                        time.sleep(random.uniform(0, 0.01 * 2**trial))
            raise AssertionError("unreachable")

    def _connected(self) -> psycopg.Connection[Any]:
        if self._closed:
            raise WorldError("the world is closed; call `await world.open()` first")
        if self._connection is None or self._connection.closed:
            self._connection = self._database.connect()
        return self._connection

    def close(self) -> None:
        """Let the connection go, after what is under way."""
        with self._lock:
            self._closed = True
            if self._connection is not None:
                self._connection.close()

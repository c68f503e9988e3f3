"""Starting a run in somebody else's transaction."""

from __future__ import annotations

from inspect import isawaitable
from typing import Any

import msgspec
import psycopg
from psycopg.rows import tuple_row

from workflow.world.records import Created, Micros, NewRun
from workflow.worlds.postgres.store import Database

__all__ = ["create_on"]

# Where others keep the connection that they wrap.
_WRAPPERS = (
    (
        "sqlalchemy.ext.asyncio",
        ". Give `(await connection.get_raw_connection()).driver_connection` of an AsyncConnection "
        "made with postgresql+psycopg; `await session.connection()` is that of a session",
    ),
    (
        "sqlalchemy",
        ". Give `connection.connection.driver_connection` of a Connection made with "
        "postgresql+psycopg; `session.connection()` is that of a session",
    ),
    ("django", ". Give `connection.connection` of it, which is the one of psycopg"),
    ("psycopg_pool", ". Take a connection out of the pool: `with pool.connection() as connection`"),
)


async def create_on(
    database: Database, connection: Any, run: NewRun, now: Micros | None
) -> Created:
    """Create a run on a psycopg connection, async or not; `now` None takes the server's time.

    Raises TypeError for another kind of connection, WorldError as always.
    """
    if not isinstance(connection, psycopg.Connection | psycopg.AsyncConnection):
        given = f"{type(connection).__module__}.{type(connection).__qualname__}"
        inner = next((how for part, how in _WRAPPERS if given.startswith(part)), "")
        raise TypeError(
            f"a run can be started on a connection of psycopg (3), not on {given}{inner}"
        )
    values = {
        **msgspec.structs.asdict(run),
        "key": run.idempotency_key,
        "attributes": msgspec.json.encode(run.attributes).decode(),
        "now": now,
        "channel": database.channel,
    }
    query = database.queries["create_on"]
    with database.explain():
        while True:
            # Whatever cursors and rows the caller's connection makes, we want names and tuples.
            cursor: Any
            if isinstance(connection, psycopg.Connection):
                cursor = psycopg.Cursor(connection, row_factory=tuple_row)
            else:
                cursor = psycopg.AsyncCursor(connection, row_factory=tuple_row)
            found = cursor.execute(query, values)
            if isawaitable(found):
                await found
            row = cursor.fetchone()
            made: Any = await row if isawaitable(row) else row
            if made is not None:
                return Created(run_id=made[0], created=made[1])
            # The key was taken by a transaction that was still open when the statement began, and
            # ended while it waited. Another statement sees the run it made, or that it made none.

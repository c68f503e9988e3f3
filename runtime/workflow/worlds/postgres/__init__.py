"""The PostgreSQL world: one database, shared by the workers of many hosts.

Everything lies in one schema, so that several environments can share a database. Set it up with
`wfc world setup`.
"""

from __future__ import annotations

import os

from workflow.errors import WorldError
from workflow.world.port import Clock
from workflow.worlds.postgres.store import Database
from workflow.worlds.postgres.world import PostgresWorld

__all__ = ["PostgresWorld", "create", "create_postgres_world"]

_DEFAULT_URL = "postgres://world:world@localhost:5432/world"


def create_postgres_world(
    url: str | None = None,
    *,
    schema: str | None = None,
    pooled: bool | None = None,
    pool_size: int = 4,
    clock: Clock | None = None,
) -> PostgresWorld:
    """A world in a database that was set up for it.

    `url` defaults to `WORKFLOW_POSTGRES_URL`, else `postgres://world:world@localhost:5432/world`.
    `schema` defaults to `workflow`, or to `workflow_<prefix>` with `WORKFLOW_POSTGRES_JOB_PREFIX`.
    `pooled=True` is for a pooler that hands connections out by transaction: nothing is prepared and
    nobody listens, so other processes are noticed by polling. It defaults to whether
    `WORKFLOW_POSTGRES_POOLER` is `transaction`; where that is not set, to whether a connection
    shows that a pooler is there. `pool_size` bounds the connections that read and claim; three
    more append, beat and listen. `clock` defaults to the server's. Raises WorldError for a pooler
    of another kind.
    """
    pooler = os.environ.get("WORKFLOW_POSTGRES_POOLER") or "none"
    if pooler not in ("none", "session", "transaction"):
        raise WorldError(
            f"WORKFLOW_POSTGRES_POOLER is {pooler!r}; it takes none, session or transaction"
        )
    prefix = os.environ.get("WORKFLOW_POSTGRES_JOB_PREFIX")
    given = url or os.environ.get("WORKFLOW_POSTGRES_URL") or _DEFAULT_URL
    return PostgresWorld(
        Database(
            given.strip(),  # what is read from a file may end with a new line
            schema or (f"workflow_{prefix}" if prefix else "workflow"),
            pooler == "transaction" if pooled is None else pooled,
            detect=pooled is None and pooler == "none",
        ),
        clock,
        pool_size=pool_size,
    )


def create() -> PostgresWorld:
    """The world that `WORKFLOW_TARGET_WORLD=postgres` names."""
    return create_postgres_world()

"""Ways to PostgreSQL: addresses, poolers that nobody mentioned, connections of others."""

from __future__ import annotations

import asyncio
import os
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg.rows import dict_row

from tests import postgres
from tests.faults.pooler import Pooler
from workflow.errors import WorldError, WorldUnavailableError
from workflow.world.records import NewRun
from workflow.worlds.postgres import create_postgres_world


def run(run_id: str) -> NewRun:
    return NewRun(run_id=run_id, workflow="flow", input=b"in", meta=b"{}")


# -- poolers -----------------------------------------------------------------------------------


@pytest.mark.fault("F18")
def test_a_pooler_that_nobody_mentioned_is_noticed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A world is set up and works through a transaction pooler without a word about it, says what
    to set, and says nothing once that is set or where there is no pooler."""
    monkeypatch.delenv("WORKFLOW_POSTGRES_POOLER", raising=False)
    schema = postgres.new_world().database.schema

    async def create(url: str, run_id: str) -> bool:
        world = create_postgres_world(url, schema=schema)
        with world.database.connect() as connection:
            world.database.migrate(connection)
        await world.open()
        try:
            for _ in range(8):
                assert (await world.create(run(run_id))).run_id == run_id
                assert await world.get_run(run_id) is not None
            return world.database.pooled
        finally:
            await world.close()

    with Pooler(postgres.url()) as pooler:
        assert asyncio.run(create(pooler.url, "unset"))
        (told,) = caplog.messages
        assert "WORKFLOW_POSTGRES_POOLER=transaction" in told
        monkeypatch.setenv("WORKFLOW_POSTGRES_POOLER", "transaction")
        assert asyncio.run(create(pooler.url, "set"))
    monkeypatch.setenv("WORKFLOW_POSTGRES_POOLER", "none")
    assert not asyncio.run(create(postgres.url(), "direct"))
    assert caplog.messages == [told]


def test_statements_that_a_pooler_mixes_up_are_explained() -> None:
    """Where a pooler was said to keep connections for its clients and does not, the error names the
    setting."""
    with Pooler(postgres.url(), size=2) as pooler:
        world = create_postgres_world(pooler.url, pooled=False)

        def connect_again_and_again() -> None:
            for _ in range(3):
                world.database.connect().close()

        with pytest.raises(WorldError, match="Set WORKFLOW_POSTGRES_POOLER=transaction"):
            connect_again_and_again()


# -- addresses ---------------------------------------------------------------------------------


def test_an_address_that_was_read_from_a_file() -> None:
    """White space around an address, such as the new line at the end of a file, is none of it."""
    world = create_postgres_world(
        f" {postgres.url()}\n", schema=postgres.new_world().database.schema
    )
    asyncio.run(world.open())
    asyncio.run(world.close())


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("service=shop", "PostgreSQL of the service shop"),
        ("postgres://me:geheim@one:1,two:2/shop", "PostgreSQL at one:1,two:2/shop"),
        ("host=one,two port=7 dbname=shop", "PostgreSQL at one:7,two:7/shop"),
        ("postgres://one,two/shop", "PostgreSQL at one,two/shop"),
        ("postgres:///shop", "PostgreSQL at the local socket/shop"),
        ("postgres://me:geheim\udcff@one/shop", "PostgreSQL"),
    ],
)
def test_a_database_in_words(url: str, place: str) -> None:
    """Messages name a service, or each host with its port, and never a password."""
    assert create_postgres_world(url).database.place == place


@pytest.mark.parametrize(
    "url", ["service=nowhere", "postgres://world@127.0.0.1:1/world?sslmode=often",
            "postgres://world@127.0.0.1:70000/world"],
)  # fmt: skip
def test_what_waiting_does_not_mend(url: str) -> None:
    """An address that no server will ever answer under is no outage, which a worker waits out."""
    with pytest.raises(WorldError) as caught:
        asyncio.run(create_postgres_world(url).open())
    assert not isinstance(caught.value, WorldUnavailableError)


@pytest.mark.fault("F11")
def test_a_read_whose_connections_are_gone() -> None:
    """F11: whoever reads when the server has ended all connections of the pool is answered, and so
    is whoever starts a run."""

    async def main() -> bool:
        world = postgres.new_world(at=postgres.new_database())
        await world.open()
        try:
            await world.create(run("before"))
            await asyncio.gather(*[world.list_events("before") for _ in range(8)])
            with psycopg.connect(postgres.url(), autocommit=True) as admin:
                admin.execute(
                    "select pg_terminate_backend(pid, 60000) from pg_stat_activity "
                    "where datname = %s",
                    (world.database.place.rpartition("/")[2],),
                )
            found = await asyncio.gather(*[world.list_events("before") for _ in range(8)])
            assert [len(events) for events in found] == [1] * 8
            return (await world.create(run("after"))).created
        finally:
            await world.close()

    assert asyncio.run(main())


# -- encodings ---------------------------------------------------------------------------------


def test_texts_in_a_process_with_another_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says about the encoding of clients changes no text."""
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")

    async def main() -> list[bool]:
        world = postgres.new_world()
        await world.open()
        try:
            return [(await world.create(run("é 日本"))).created for _ in range(2)] + [
                await world.get_run("é 日本") is not None
            ]
        finally:
            await world.close()

    assert asyncio.run(main()) == [True, False, True]


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_cannot_hold_every_text(encoding: str) -> None:
    """A database with another encoding than UTF-8 is refused when it is set up, with what to do."""
    name = f"{encoding.lower()}_{os.getpid()}"
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute(
            f"create database {name} encoding '{encoding}' template template0 "
            "lc_collate 'C' lc_ctype 'C'".encode()
        )
        try:
            at = urlunsplit(urlsplit(postgres.url())._replace(path=f"/{name}"))
            database = create_postgres_world(at).database
            with database.connect() as connection, pytest.raises(WorldError, match="'UTF8'"):
                database.migrate(connection)
        finally:
            admin.execute(f"drop database {name} with (force)".encode())


# -- connections of the caller -----------------------------------------------------------------


@pytest.mark.fault("F26")
@pytest.mark.parametrize(
    "options",
    [{}, {"cursor_factory": psycopg.RawCursor}, {"cursor_factory": psycopg.ClientCursor},
     {"row_factory": dict_row}, {"autocommit": True}, {"prepare_threshold": 0}],
)  # fmt: skip
def test_a_connection_of_any_make(options: dict[str, Any]) -> None:
    """F26: whatever cursors and rows a connection makes, in a pipeline too, a run shares the fate
    of the innermost transaction that it was started in."""

    async def main() -> list[bool]:
        world = postgres.new_world()
        await world.open()
        try:
            with psycopg.connect(postgres.url(), **options) as theirs, theirs.transaction():
                with theirs.transaction():
                    await world.create_on(theirs, run("kept"))
                with theirs.transaction(force_rollback=True):
                    await world.create_on(theirs, run("given up"))
                with theirs.pipeline():
                    theirs.execute("select 1")
                    await world.create_on(theirs, run("in a pipeline"))
            runs = ("kept", "given up", "in a pipeline")
            return [await world.get_run(each) is not None for each in runs]
        finally:
            await world.close()

    assert asyncio.run(main()) == [True, False, True]


@pytest.mark.fault("F26")
def test_an_async_connection_with_raw_cursors() -> None:
    """F26: an asynchronous connection that writes $1 for parameters can start a run."""

    async def main() -> bool:
        world = postgres.new_world()
        async with await psycopg.AsyncConnection.connect(
            postgres.url(), cursor_factory=psycopg.AsyncRawCursor
        ) as theirs:
            return (await world.create_on(theirs, run("r"))).created

    assert asyncio.run(main())


@pytest.mark.parametrize(
    ("module", "how"),
    [
        ("sqlalchemy.engine.base", r"connection\.connection\.driver_connection"),
        ("sqlalchemy.ext.asyncio.engine", r"get_raw_connection\(\)\)\.driver_connection"),
        ("django.db.backends.postgresql.base", r"`connection\.connection`"),
        ("psycopg_pool.pool", r"pool\.connection\(\)"),
        ("asyncpg.connection", r"not on asyncpg\.connection\.Given$"),
    ],
)
def test_what_is_no_connection_of_psycopg(module: str, how: str) -> None:
    """The error for what wraps a connection says where it keeps it."""
    given = type("Given", (), {"__module__": module})()
    with pytest.raises(TypeError, match=how):
        asyncio.run(create_postgres_world().create_on(given, run("r")))

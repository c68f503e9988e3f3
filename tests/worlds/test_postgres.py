"""What only the PostgreSQL world has: set-up, schemas side by side, other people's transactions."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from psycopg import AsyncConnection

from tests import postgres
from workflow.errors import WorldError
from workflow.testing.clock import VirtualClock
from workflow.world.records import NewRun, RunFilter
from workflow.worlds.postgres import create_postgres_world
from workflow.worlds.postgres.store import SCHEMA_VERSION


def run(run_id: str, **more: object) -> NewRun:
    return NewRun(run_id=run_id, workflow="flow", input=b"in", meta=b"{}", **more)  # type: ignore[arg-type]


def test_opening_a_database_that_is_not_set_up_says_what_to_do() -> None:
    """A schema that is missing is an error that names the command."""
    world = create_postgres_world(postgres.url(), schema="never_made")
    with pytest.raises(WorldError, match="wfc world setup"):
        asyncio.run(world.open())


def test_a_newer_schema_is_left_alone() -> None:
    """A database of a later version is refused, and setting up does not touch it."""
    world = postgres.new_world()
    with world.database.connect() as connection:
        connection.execute(
            f"insert into {world.database.quoted}.workflow_schema values (%s)".encode(),
            (SCHEMA_VERSION + 1,),
        )
        with pytest.raises(WorldError, match="upgrade workflow-compiler"):
            world.database.migrate(connection)
    with pytest.raises(WorldError, match="upgrade workflow-compiler"):
        asyncio.run(world.open())


def test_schemas_are_worlds_of_their_own() -> None:
    """Two schemas of one database know nothing of each other's runs and work."""

    async def main() -> None:
        clock = VirtualClock()
        one, two = postgres.new_world(clock), postgres.new_world(clock)
        for world in (one, two):
            await world.open()
        try:
            await one.create(run("r"))
            assert (await two.claim_runs("bob", 10)).runs == ()
            assert (await two.list_runs(RunFilter())).items == ()
            assert (await two.create(run("r"))).created
            assert [r.run_id for r in (await one.claim_runs("ann", 10)).runs] == ["r"]
        finally:
            for world in (one, two):
                await world.close()

    asyncio.run(main())


@pytest.mark.parametrize("commit", [True, False])
@pytest.mark.parametrize("is_async", [True, False])
def test_a_run_started_in_a_transaction_shares_its_fate(commit: bool, is_async: bool) -> None:
    """With a commit there are both the caller's row and the run, else neither."""

    async def main() -> None:
        world = postgres.new_world()
        await world.open()
        table = f"{world.database.quoted}.orders"
        try:
            with world.database.connect() as admin:
                admin.execute(f"create table {table} (id int)".encode())
                if is_async:
                    async with await AsyncConnection.connect(postgres.url()) as theirs:
                        await theirs.execute(f"insert into {table} values (1)".encode())
                        assert (await world.create_on(theirs, run("r"))).created
                        await (theirs.commit() if commit else theirs.rollback())
                else:
                    with psycopg.connect(postgres.url()) as mine:
                        mine.execute(f"insert into {table} values (1)".encode())
                        assert (await world.create_on(mine, run("r"))).created
                        mine.commit() if commit else mine.rollback()
                found = admin.execute(f"select count(*) from {table}".encode()).fetchone()
            assert found == (int(commit),)
            assert (await world.get_run("r") is not None) is commit
            claimed = await world.claim_runs("ann", 10)
            assert [r.run_id for r in claimed.runs] == (["r"] if commit else [])
            assert claimed.runs == () or claimed.runs[0].input == b"in"
        finally:
            await world.close()

    asyncio.run(main())


def test_a_key_used_before_gives_the_first_run() -> None:
    """Starting twice in transactions with one idempotency key gives one run."""

    async def main() -> None:
        world = postgres.new_world()
        await world.open()
        try:
            with psycopg.connect(postgres.url()) as mine:
                first = await world.create_on(mine, run("r1", idempotency_key="k"))
            with psycopg.connect(postgres.url()) as mine:
                second = await world.create_on(mine, run("r2", idempotency_key="k"))
            assert (first.run_id, first.created) == ("r1", True)
            assert (second.run_id, second.created) == ("r1", False)
            with pytest.raises(TypeError, match="psycopg"):
                await world.create_on(object(), run("r3"))
        finally:
            await world.close()

    asyncio.run(main())


def test_no_error_shows_the_password() -> None:
    """Neither an unreachable server nor a password with an @ in it puts the password into text."""
    for url in (
        "postgres://world:geheim@127.0.0.1:1/world",
        "postgres://world:geh@geheim@127.0.0.1:1/world",
    ):
        world = create_postgres_world(url)
        with pytest.raises(WorldError) as caught:
            asyncio.run(world.open())
        assert "geheim" not in str(caught.value)

"""Names of schemas: whatever PostgreSQL takes, and nothing that two environments would share."""

from __future__ import annotations

import asyncio
import os

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.conninfo import make_conninfo

from tests import postgres
from wfc.cli import main as wfc
from workflow.errors import WorldError
from workflow.world.records import NewRun, WorkerRecord
from workflow.worlds.postgres import PostgresWorld, create_postgres_world

RUN = NewRun(run_id="run", workflow="flow", input=b"", meta=b"{}")

# 63 bytes, the longest name there is.
LONGEST = f"{os.getpid()} a preview of a branch with a rather long name".ljust(63, "_")


ODD = [f"{os.getpid()} {name}" for name in ("50% off", "%(now)s", "o'brien", 'a "b"', "{schema}")]


@pytest.mark.parametrize(
    "schema", [LONGEST, *ODD], ids=["longest", "percent", "parameter", "quote", "quotes", "braces"]
)
def test_a_world_in_a_schema_of_any_name(schema: str) -> None:
    """A world starts runs, inside of other transactions too, hands them out and says so."""

    async def main() -> None:
        world, other = (postgres.new_world(schema=schema) for _ in range(2))
        with world.database.connect() as connection:
            postgres.empty(connection, schema)
        await world.open()
        await other.open()
        try:
            await other.beat(WorkerRecord(worker="ann", lease_until=other.now() + 60_000_000))
            with world.database.connect() as connection:
                assert (await world.create_on(connection, RUN)).created
            await world.create(NewRun(run_id="second", workflow="flow", input=b"", meta=b"{}"))
            claimed = (await other.claim_runs("ann", 9)).runs
            assert {run.run_id for run in claimed} == {"run", "second"}
            await other.leave("ann")  # which tells the others
        finally:
            await world.close()
            await other.close()

    asyncio.run(main())


def test_a_role_with_few_rights() -> None:
    """A role that may create no schema sets up the one that it was given, and is told what to ask
    for where it was given none. One that may only read and write rows works in it."""
    number = f"{os.getpid()}"
    owner, worker, given = f"owner_{number}", f"worker_{number}", f"workflow_given_{number}"

    def as_role(role: str, schema: str) -> PostgresWorld:
        at = make_conninfo(postgres.url(), options=f"-c role={role}")
        return create_postgres_world(at, schema=schema)

    async def work() -> None:
        world = as_role(worker, given)
        await world.open()
        try:
            await world.create(NewRun(run_id="r", workflow="flow", input=b"", meta=b"{}"))
            assert (await world.get_run("r")) is not None
        finally:
            await world.close()

    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        for role in (owner, worker):
            admin.execute(f"create role {role}".encode())
        admin.execute(f"create schema {given} authorization {owner}".encode())
        try:
            database = as_role(owner, given).database
            with database.connect() as connection:
                assert database.migrate(connection) == 0
                for rights in (
                    f"usage on schema {given}",
                    f"select, insert, update, delete on all tables in schema {given}",
                    f"usage on all sequences in schema {given}",
                ):
                    connection.execute(f"grant {rights} to {worker}".encode())
                elsewhere = as_role(owner, f"{given}_not").database
                with pytest.raises(WorldError, match=f'create schema "{given}_not"'):
                    elsewhere.migrate(connection)
            asyncio.run(work())
        finally:
            for role in (worker, owner):
                admin.execute(f"drop owned by {role} cascade; drop role {role}".encode())


def test_worlds_in_a_schema_with_a_long_name_hear_of_each_other() -> None:
    """The channel's name fits into PostgreSQL's, and differs from that of a similar schema."""

    async def main() -> None:
        worlds = [postgres.new_world(schema=LONGEST) for _ in range(2)]
        with worlds[0].database.connect() as connection:
            channel = worlds[1].database.channel
            assert channel != create_postgres_world(schema=LONGEST[:-1]).database.channel
            for world in worlds:
                await world.open()
            connection.execute(f'listen "{channel}"'.encode())
            try:
                await worlds[0].create(RUN)
                # The loop ends with the first notification, or with a failure.
                assert [n.channel for n in connection.notifies(timeout=60, stop_after=1)]
            finally:
                for world in worlds:
                    await world.close()

    asyncio.run(main())


def test_a_name_that_postgresql_would_cut_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two environments whose names begin alike would share their runs without knowing."""
    with pytest.raises(WorldError, match="63 bytes of a name"):
        create_postgres_world(schema=LONGEST + "_")
    with pytest.raises(WorldError, match="63 bytes of a name"):
        create_postgres_world(schema="ü" * 32)
    monkeypatch.setenv("WORKFLOW_POSTGRES_JOB_PREFIX", "preview_" * 8)
    done = CliRunner().invoke(wfc, ["world", "setup"])
    assert done.exit_code == 2
    assert "Give a shorter WORKFLOW_POSTGRES_JOB_PREFIX" in done.output

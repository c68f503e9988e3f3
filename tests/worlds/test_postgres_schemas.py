"""Names of schemas: whatever PostgreSQL takes, and nothing that two environments would share."""

from __future__ import annotations

import asyncio
import os

import pytest
from click.testing import CliRunner

from tests import postgres
from wfc.cli import main as wfc
from workflow.errors import WorldError
from workflow.world.records import NewRun, WorkerRecord
from workflow.worlds.postgres import create_postgres_world

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
                assert [n.channel for n in connection.notifies(timeout=30, stop_after=1)]
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

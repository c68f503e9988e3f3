"""Somebody's transaction stays open for long in the same PostgreSQL."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest

from tests import postgres
from workflow.policy.crashes import ALONE
from workflow.world.records import (
    Append,
    Finish,
    Letter,
    NewEvent,
    NewRun,
    NewTask,
    WorkerRecord,
)
from workflow.worlds.postgres import PostgresWorld
from workflow.worlds.postgres.arrays import Texts

RUNS, STEPS = 100, 5


async def churn(world: PostgresWorld, batch: int) -> None:
    """Some runs from their start to their end, each with a few tasks."""
    names = [f"r{batch}-{n}" for n in range(RUNS)]
    for name in names:
        world_run = NewRun(run_id=name, workflow="f", input=b"", meta=b"{}")
        assert (await world.create(world_run)).created
    runs = (await world.claim_runs("ann", RUNS)).runs
    assert len(runs) == RUNS

    def asked(run: Any, **more: Any) -> Append:
        return Append(
            run_id=run.run_id, worker="ann", fence=run.fence, expected=run.head, at=world.now(),
            seen=run.mail, release=True, **more,
        )  # fmt: skip

    def tasks(run: Any) -> tuple[NewTask, ...]:
        ids = (f"{run.run_id}s{n}" for n in range(STEPS))
        return tuple(NewTask(step_id=step_id, name="step", payload=b"") for step_id in ids)

    await asyncio.gather(*(world.append(asked(run, add_tasks=tasks(run))) for run in runs))
    done = 0
    while found := await world.claim_tasks("ann", 50, ["step"]):
        letters = (Letter(kind="step_completed", ref=t.step_id, payload=b"1") for t in found)
        finishes = [
            Finish(run_id=t.run_id, step_id=t.step_id, worker="ann", attempt=1, letter=letter)
            for t, letter in zip(found, letters, strict=True)
        ]
        assert all(await world.finish_tasks(finishes))
        done += len(found)
    assert done == RUNS * STEPS
    runs = (await world.claim_runs("ann", RUNS)).runs
    assert sorted(run.run_id for run in runs) == sorted(names)
    end = NewEvent(type="run_completed", at=world.now())
    await asyncio.gather(
        *(world.append(asked(run, events=(end,), end="completed")) for run in runs)
    )


def pages(world: PostgresWorld) -> int:
    """How many pages the server touches to find that there is nothing to claim."""
    with world.database.connect() as connection:
        query = b"explain (analyze, buffers, format json) " + world.database.queries["claim_tasks"]
        values = {"worker": "ann", "now": world.now(), "names": Texts(["step"]), "limit": 50}
        values["alone"] = ALONE
        ((found,),) = connection.execute(query, values).fetchall()
        plan = found[0]["Plan"]
        return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


@pytest.mark.fault("F19")
def test_a_transaction_that_stays_open() -> None:
    """While it is open the server may remove nothing of what we delete: everything is still handed
    out once and done, and looking for work costs more. With its end that is over."""

    async def main() -> None:
        url = postgres.new_database()
        world = postgres.new_world(at=url)
        await world.open()
        try:
            await world.beat(WorkerRecord(worker="ann", lease_until=world.now() + 600_000_000))
            await churn(world, 0)
            with psycopg.connect(url) as other:
                other.execute("set transaction isolation level repeatable read")
                other.execute("select count(*) from pg_class")
                for batch in range(1, 4):
                    await churn(world, batch)
                beside = pages(world)
            table = f"{world.database.quoted}.workflow_tasks"
            with psycopg.connect(url, autocommit=True) as admin:
                admin.execute(f"vacuum {table}".encode())
            afterwards = pages(world)
            assert afterwards < 20 < beside
            await churn(world, 4)
        finally:
            await world.close()

    asyncio.run(main())

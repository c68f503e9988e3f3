"""Work that was handed out and never arrived is not lost as long as its worker lives."""

from __future__ import annotations

import asyncio

import pytest

from tests import postgres
from tests.faults.proxy import Proxy
from workflow.errors import WorldError
from workflow.world.records import Append, NewRun, NewTask, WorkerRecord
from workflow.worlds.postgres import PostgresWorld


async def with_task(world: PostgresWorld) -> None:
    """A run that has handed out one task, and `ann` with a lease."""
    await world.beat(WorkerRecord(worker="ann", lease_until=world.now() + 60_000_000))
    await world.create(NewRun(run_id="r", workflow="flow", input=b"in", meta=b"{}"))
    (run,) = (await world.claim_runs("ann", 1)).runs
    task = NewTask(step_id="s1", name="step", payload=b"")
    done = await world.append(
        Append(
            run_id="r", worker="ann", fence=run.fence, expected=run.head, at=world.now(),
            seen=run.mail, add_tasks=(task,), release=True,
        )
    )  # fmt: skip
    assert done.ok


@pytest.mark.fault("F12")
def test_a_claim_whose_answer_is_lost_twice() -> None:
    """F12: the answer to the commit of a claim is lost, and then the line breaks again while the
    next claim looks for what became of it. Nobody else would ever free that task."""

    async def main() -> None:
        with Proxy(postgres.url()) as proxy:
            world = postgres.new_world(at=proxy.url)
            await world.open()
            try:
                await with_task(world)

                def committed(data: bytes) -> bool:
                    proxy.closed = b"COMMIT" in data and b"SET" not in data
                    return proxy.closed

                cut = proxy.cut_at_answer(committed)
                with pytest.raises(WorldError):
                    await world.claim_tasks("ann", 5, ["step"])
                assert cut.is_set()
                proxy.closed = False
                cut = proxy.cut_at_answer(lambda data: b"BEGIN" in data)
                (task,) = await world.claim_tasks("ann", 5, ["step"])
                assert cut.is_set()
                assert (task.step_id, task.owner, task.attempt) == ("s1", "ann", 1)
                assert await world.claim_tasks("ann", 5, ["step"]) == ()
            finally:
                await world.close()

    asyncio.run(main())

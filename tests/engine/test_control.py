"""Asking a run to stop, and ending it, from outside: what whoever asks is told."""

from __future__ import annotations

import asyncio
import json

import pytest

from workflow.codec import Codec
from workflow.engine import control
from workflow.errors import RunEndedError, WorkflowRunCancelledError, WorkflowRunNotFoundError
from workflow.replay.live import pack
from workflow.testing import VirtualClock
from workflow.world.records import Append, Letter, NewEvent, NewRun, Parked, RunRecord, WorkerRecord
from workflow.worlds.memory import MemoryWorld

START = 1_700_000_000_000_000
codec = Codec({})


async def world_with(*run_ids: str) -> MemoryWorld:
    world = MemoryWorld(VirtualClock(START))
    await world.open()
    for run_id in run_ids:
        await world.create(NewRun(run_id=run_id, workflow="w", input=b"", meta=b"{}"))
    await world.beat(WorkerRecord(worker="w", lease_until=START + 10**12))
    return world


async def record(world: MemoryWorld, run_id: str) -> RunRecord:
    found = await world.get_run(run_id)
    assert found is not None
    return found


def test_a_run_that_has_ended_cannot_be_stopped() -> None:
    """Nor written to; and one that was never there is not one that has ended."""

    async def main() -> None:
        world = await world_with("run")
        await control.terminate(world, codec, "run", "enough")
        log = await world.list_events("run")
        for ask in (control.cancel, control.terminate):
            with pytest.raises(RunEndedError, match="run has ended"):
                await ask(world, codec, "run", "again")
            with pytest.raises(WorkflowRunNotFoundError):
                await ask(world, codec, "nobody", "again")
        with pytest.raises(RunEndedError):
            await control.post(world, "run", Letter(kind="wake"))
        with pytest.raises(WorkflowRunNotFoundError):
            await control.post(world, "nobody", Letter(kind="wake"))
        assert await world.list_events("run") == log
        ended = await record(world, "run")
        assert (ended.status, ended.error_code) == ("cancelled", "terminated")
        error = codec.decode_error(ended.output or b"")
        assert isinstance(error, WorkflowRunCancelledError)
        assert "enough" in str(error)

    asyncio.run(main())


def test_a_parked_run_ends_at_once_when_it_is_cancelled() -> None:
    """Its body cannot be asked; any other run gets a letter with the reason."""

    async def main() -> None:
        world = await world_with("parked", "asked")
        for run in (await world.claim_runs("w", 2)).runs:
            if run.run_id == "parked":
                await world.park("parked", "w", run.fence, Parked(code="test", reason="by hand"))
        await control.cancel(world, codec, "parked", "enough")
        assert (await record(world, "parked")).status == "cancelled"
        await control.cancel(world, codec, "asked", "enough")
        assert (await record(world, "asked")).status == "pending"
        letters = (await world.load("asked")).letters
        asked = [letter for letter in letters if letter.kind == "cancel"]
        assert [letter.meta for letter in asked] == [b'{"reason":"enough"}']

    asyncio.run(main())


def test_a_reason_is_kept_up_to_a_length() -> None:
    """A reason is a line in every log and list: of a long one the first 512 characters stay."""

    async def main() -> None:
        world = await world_with("run", "other")
        await control.cancel(world, codec, "run", "x" * 2000)
        await control.terminate(world, codec, "other", "y" * 2000)
        (letter,) = [each for each in (await world.load("run")).letters if each.kind == "cancel"]
        assert json.loads(letter.meta or b"") == {"reason": "x" * 512}
        end = (await world.list_events("other"))[-1]
        assert json.loads(end.meta or b"") == {"reason": "y" * 512}

    asyncio.run(main())


def test_children_anywhere_in_a_long_log_end_with_a_terminated_run() -> None:
    """The log is read page by page, up to its end; children that have ended are left alone."""

    async def main() -> None:
        world = await world_with("run", "first", "ended", "last")
        claimed = {run.run_id: run for run in (await world.claim_runs("w", 4)).runs}
        bound = pack({"cancel_with_parent": True})

        def born(child: str) -> NewEvent:
            return NewEvent(type="child_created", at=START, ref=child, name="w", meta=bound)

        attributes = [NewEvent(type="attr_set", at=START, meta=b"{}") for _ in range(5000)]
        ended = NewEvent(type="child_ended", at=START, ref="ended", meta=b'{"status":"failed"}')
        append = Append(
            run_id="run",
            worker="w",
            fence=claimed["run"].fence,
            expected=1,
            at=START,
            events=(born("first"), born("ended"), *attributes, ended, born("last")),
        )
        assert (await world.append(append)).ok
        assert len(await world.list_events("run")) < 5005, "one page has all of it"
        await control.terminate(world, codec, "run", "enough")
        told = [
            child
            for child in ("first", "ended", "last")
            if any(letter.kind == "cancel" for letter in (await world.load(child)).letters)
        ]
        assert told == ["first", "last"]

    asyncio.run(main())

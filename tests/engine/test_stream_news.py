"""Many readers of silent streams leave a busy process its time, and hear of what is written."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.engine.streaming import serve
from workflow import Readable
from workflow.api import start
from workflow.authoring import news
from workflow.authoring.attempts import Attempts
from workflow.authoring.sources import Source
from workflow.authoring.writers import WriterOf
from workflow.codec import Codec
from workflow.engine import Application
from workflow.world.records import (
    Append,
    Chunk,
    ChunkPage,
    ChunkWrite,
    Letter,
    NewEvent,
    NewRun,
    WorkerRecord,
)
from workflow.worlds import local
from workflow.worlds.memory import MemoryWorld

READERS = 100
COMMITS = 200


class Counting(MemoryWorld):
    """Counts the looks at streams."""

    looks = 0

    async def read_chunks(self, run_id: str, stream: str, start: int, limit: int) -> ChunkPage:
        self.looks += 1
        return await super().read_chunks(run_id, stream, start, limit)


def test_commits_of_others_do_not_wake_every_reader(tmp_path: Path) -> None:
    """Each commit of another run would be a look of each reader; readers that find nothing pause.
    What is written in this process ends the pauses."""
    world = Counting()

    async def play(app: Application, flows: Any) -> None:
        silent = await start(flows.slow_result, 4)
        numbers = (await silent.result(60))["numbers"]
        values = [aiter(numbers) for _ in range(READERS)]
        for each in values:
            assert [await anext(each), await anext(each)] == [0, 1]
        waiting = [asyncio.ensure_future(anext(each)) for each in values]
        busy = await start(flows.waits, 0)
        world.looks = 0
        for _ in range(COMMITS):
            await app.world.post(busy.run_id, Letter(kind="nudge"))
            await asyncio.sleep(0)
        assert world.looks < READERS * COMMITS / 4
        flows.go.set()
        async with asyncio.timeout(60):
            assert await asyncio.gather(*waiting) == [2] * READERS

    serve(lambda: world, tmp_path, play)


@pytest.mark.parametrize("name", ["default", ""])
def test_a_pause_ends_when_told(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """By a chunk for the stream, or by the end of its run; not by what concerns other streams."""
    monkeypatch.setattr(news, "EACH", 1000.0)
    monkeypatch.setattr(news, "LONGEST", 1000.0)

    async def main() -> None:
        with news.watch("run", "default") as watch, news.watch("run", "other") as other:
            rest = asyncio.ensure_future(watch.rest())
            rest_of_other = asyncio.ensure_future(other.rest())
            await asyncio.sleep(0)
            news.tell("another run")
            news.tell("run", name)
            await asyncio.wait_for(rest, 60)
            assert rest_of_other.done() == (name == "")
            rest_of_other.cancel()
        assert not news._readers

    asyncio.run(main())


def test_readers_let_others_work(tmp_path: Path) -> None:
    """Whoever looks into the log for a writer or an attempt reads it in pieces, and so does who
    reads a stream that is written already."""

    async def main() -> None:
        world = local.create_local_world(tmp_path / "data")
        await world.open()
        await world.create(NewRun(run_id="wrun_1", workflow="w", input=b"", meta=b"{}"))
        await world.beat(WorkerRecord(worker="ann", lease_until=world.now() + 60_000_000))
        (run,) = (await world.claim_runs("ann", 1)).runs
        now = world.now()
        events = [
            NewEvent(type="step_completed", at=now, ref=f"s{n}", name="x") for n in range(2500)
        ]
        append = Append(
            run_id="wrun_1", worker="ann", fence=run.fence, expected=run.head, at=now,
            events=tuple(events), seen=run.mail,
        )  # fmt: skip
        assert (await world.append(append)).ok
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        working = asyncio.create_task(others())
        await asyncio.sleep(0)
        assert await WriterOf(Source(world, Codec()), "wrun_1", "strm_1").find() == ""
        assert turns >= 2
        turns = 0
        attempts = Attempts(world, "wrun_1", "strm_1")
        assert not await attempts.wrote(Chunk(index=0, data=b"", step_id="s2400", attempt=2))
        assert turns >= 2
        chunks = (Codec().encode("x"),) * 1000
        await world.write_chunks(
            ChunkWrite(
                run_id="wrun_1", stream="strm_1", step_id="", attempt=0, worker="ann",
                chunks=chunks, close=True, own=True,
            )
        )  # fmt: skip
        turns = 0
        values = Readable[str]("wrun_1", "strm_1", source=Source(world, Codec()))
        assert len([value async for value in values]) == 1000
        assert turns >= 10
        working.cancel()
        await world.close()

    asyncio.run(main())

"""How streams end that have a writer of their own. On every world."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.engine.streaming import FLOWS, WORLDS, MakeWorld, maker, numbers, serve
from tests.project import build, loaded, until
from workflow import Readable, StreamError, Writable
from workflow.api import get_run, start
from workflow.authoring import readable
from workflow.authoring.sources import Source
from workflow.codec import Codec
from workflow.codec.compression import compressed
from workflow.engine import Application
from workflow.engine.intake import Outgoing
from workflow.engine.pumps import Pump, is_wanted
from workflow.errors import (
    ContextError,
    WorkflowRunFailedError,
    WorldError,
)
from workflow.world.port import World
from workflow.world.records import Append, ChunkWrite, NewEvent, NewRun, WorkerRecord
from workflow.worlds import memory


@pytest.fixture(params=WORLDS)
def make_world(request: pytest.FixtureRequest, tmp_path: Path) -> MakeWorld:
    return maker(request.param, tmp_path)


def test_a_stream_that_breaks_off(make_world: MakeWorld, tmp_path: Path) -> None:
    """The step that returned it has succeeded and is not tried again; the reader gets the values
    and then the error, and is not tried again either."""

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.breaks, 4)
        with pytest.raises(WorkflowRunFailedError) as caught:
            await run.result(60)
        error = caught.value.__cause__
        assert isinstance(error, StreamError)
        assert "after 4 values: ValueError: the source is gone" in str(error)
        assert isinstance(error.__cause__, ValueError)
        assert flows.tries == ["broken", "total"]
        types = [e.type for e in await app.world.list_events(run.run_id)]
        assert types.count("step_completed") == 1
        (name,) = await app.world.list_streams(run.run_id)
        readable = run.get_readable(namespace=name)
        assert await readable.get_tail_index() == 3
        page = await readable.get_chunks()
        assert ([c.value for c in page.chunks], page.has_more) == ([0, 1, 2, 3], True)
        with pytest.raises(StreamError):
            await readable.get_chunks(cursor=page.cursor)

    serve(make_world, tmp_path, play)


def test_a_writer_that_is_gone(
    make_world: MakeWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads the stream of a process that died is told so, and so are all others."""
    monkeypatch.setattr(readable, "LOOK", 100_000)

    async def play(app: Application, flows: Any) -> None:
        world = app.world
        run = await start(flows.waits, 4)

        async def look() -> str | None:
            for name in await world.list_streams(run.run_id):
                if (await world.read_chunks(run.run_id, name, 0, 0)).next == 2:
                    return name
            return None

        name = await until(world, look, what="half of the stream")
        dead = Readable[int](run.run_id, name, writer="nobody")
        values = aiter(dead)
        assert [await anext(values), await anext(values)] == [0, 1]
        with pytest.raises(StreamError, match="is gone; it had written 2 values"):
            await anext(values)
        late = aiter(run.get_readable(namespace=name, start_index=2))
        with pytest.raises(StreamError, match="is gone"):
            await anext(late)
        flows.go.set()  # the writer, if it was only slow, is refused
        await run.terminate()

    serve(make_world, tmp_path, play)


def test_a_writer_that_is_gone_by_name(
    make_world: MakeWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who opens a stream by its name is told as well, of an upload and of a step's result, when
    the run has completed and nobody else reads."""
    monkeypatch.setattr(readable, "LOOK", 100_000)

    async def play(app: Application, flows: Any) -> None:
        world = app.world
        for run_id, name, event in (
            ("wrun_upload", "strm_up", "run_created"),
            ("wrun_step", "strm_step", "step_completed"),
            ("wrun_packed", "strm_packed", "step_completed"),
        ):
            held = app.codec.encode(["x" * 2000, Readable[int](run_id, name, writer="nobody")])
            if run_id == "wrun_packed":  # compressed by whoever wrote it
                held = compressed(held, 100)
            made = held if event == "run_created" else b""
            await world.create(NewRun(run_id=run_id, workflow="none", input=made, meta=b"{}"))
            await world.beat(WorkerRecord(worker="ann", lease_until=world.now() + 20_000_000))
            (run,) = (await world.claim_runs("ann", 1)).runs
            chunks = ChunkWrite(
                run_id=run_id, stream=name, step_id="s", attempt=1, worker="ann", fence=run.fence,
                chunks=(app.codec.encode(7),),
            )  # fmt: skip
            assert await world.write_chunks(chunks) == 0
            now = world.now()
            events = [NewEvent(type="run_completed", at=now, payload=app.codec.encode(None))]
            if event == "step_completed":
                events.insert(0, NewEvent(type=event, at=now, ref="s", name="x", payload=held))
            end = Append(
                run_id=run_id, worker="ann", fence=run.fence, expected=run.head, at=now,
                events=tuple(events), seen=run.mail, end="completed",
                output=app.codec.encode(None),
            )  # fmt: skip
            assert (await world.append(end)).ok
            values = aiter(get_run(run_id).get_readable(namespace=name))
            assert await anext(values) == 7
            with pytest.raises(StreamError, match=r"is gone; it had written 1 value$"):
                async with asyncio.timeout(60):
                    await anext(values)
            unknown = aiter(get_run(run_id).get_readable(namespace="strm_unknown"))
            with pytest.raises(StreamError, match="ended before"):
                await anext(unknown)

    serve(make_world, tmp_path, play, worker=False)


def test_the_end_of_a_run_ends_its_streams(make_world: MakeWorld, tmp_path: Path) -> None:
    """A run that is ended without its body leaves no reader waiting, and says that it was cut."""

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.waits, 4)

        async def look() -> str | None:
            found = await app.world.list_streams(run.run_id)
            return found[0] if found else None

        name = await until(app.world, look, what="the stream")
        values = aiter(run.get_readable(namespace=name))
        assert [await anext(values), await anext(values)] == [0, 1]
        await run.terminate()
        with pytest.raises(StreamError, match="ended before this stream"):
            await anext(values)

    serve(make_world, tmp_path, play)


def test_a_worker_that_stops_ends_the_streams_it_writes(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    """Its last words are an error in the stream, so that nobody waits for its lease to end."""
    project = build(tmp_path, FLOWS)
    world = make_world()

    async def main() -> None:
        async with Application(world, project, grace=0.1) as app:
            flows = loaded(tmp_path)
            flows.go = asyncio.Event()
            run = await start(flows.slow_result, 6)
            found = (await run.result(60))["numbers"]
            values = aiter(found)
            assert [await anext(values) for _ in range(3)] == [0, 1, 2]
            await app._worker.stop()  # type: ignore[union-attr]
            with pytest.raises(StreamError, match="its writer was stopped; 3 values"):
                await anext(values)

    asyncio.run(main())


def test_a_stream_that_nobody_wants(
    make_world: MakeWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a run has completed without it in its result, its writer is stopped."""
    monkeypatch.setenv("WORKFLOW_LEASE", "0.6")

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.drops, 4)
        assert await run.result(60) == "not interested"
        (name,) = await app.world.list_streams(run.run_id)
        values = aiter(run.get_readable(namespace=name))
        assert [await anext(values), await anext(values)] == [0, 1]
        with pytest.raises(StreamError, match="nobody has this stream"):
            await anext(values)

    serve(make_world, tmp_path, play)


def test_a_result_that_cannot_be_read_here() -> None:
    """The value of a run may be of another build, or encrypted: then its streams are written on,
    unless its bytes do not name them."""

    async def main() -> None:
        world = memory.create()
        await world.open()
        await world.create(NewRun(run_id="wrun_1", workflow="w", input=b"devl[0]", meta=b"{}"))
        run = await world.get_run("wrun_1")
        assert run is not None
        unknown = b'devl[["Instance",1],{"classId":2,"data":3},"class//gone.py//strm_1",{}]'
        for output in (unknown, b"encr", b"nonsense"):
            ended = replace(run, status="completed", output=output)
            assert is_wanted(ended, "strm_1", Codec())
        ended = replace(run, status="completed", output=unknown)
        assert not is_wanted(ended, "strm_2", Codec())
        packed = Codec().encode(["x" * 2000, Readable("wrun_1", "strm_1"), Writable("r", "strm_2")])
        ended = replace(run, status="completed", output=compressed(packed, 100))
        assert is_wanted(ended, "strm_1", Codec())
        assert not is_wanted(ended, "strm_2", Codec())
        assert not is_wanted(replace(run, status="failed"), "strm_1", Codec())
        assert not is_wanted(None, "strm_1", Codec())

    asyncio.run(main())


def test_an_iterator_writes_to_no_other_stream(make_world: MakeWorld, tmp_path: Path) -> None:
    """Its step is over when it runs, and the error says what to do."""

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.late)
        values = aiter(await run.result(60))
        assert await anext(values) == 1
        with pytest.raises(StreamError, match="writes_late has ended with a stream") as caught:
            await anext(values)
        assert isinstance(caught.value.__cause__, ContextError)

    serve(make_world, tmp_path, play)


class Stumbling:
    """A world whose answers get lost, before or after it has done what it was asked."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.left = ["after", "before", "after"]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world, name)

    async def write_chunks(self, write: ChunkWrite) -> int | None:
        how = self.left.pop() if self.left else ""
        if how == "before":
            raise WorldError("not there")
        first = await self._world.write_chunks(write)
        if how == "after":
            raise WorldError("the answer was lost")
        return first


def test_a_world_that_is_away_for_a_moment(make_world: MakeWorld) -> None:
    """Nothing is lost and nothing is written twice when answers do not come."""

    async def main() -> None:
        world = make_world()
        await world.open()
        await world.create(NewRun(run_id="wrun_1", workflow="w", input=b"", meta=b"{}"))
        codec = Codec()
        stumbling: Any = Stumbling(world)
        pump = Pump(stumbling, codec, "me", Outgoing("wrun_1", "strm_1", numbers(5)))
        assert await pump.run() is None
        assert stumbling.left == []
        source = Source(world, codec)
        found = Readable[int]("wrun_1", "strm_1", source=source)
        assert [n async for n in found] == [0, 1, 2, 3, 4]
        await world.close()

    asyncio.run(main())

"""Streams in places and at moments that are easily forgotten. On every world."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.streaming import WORLDS, MakeWorld, maker
from tests.project import build, loaded, until
from workflow import Readable, StreamError, Writable
from workflow.api import Run, start
from workflow.authoring import news
from workflow.authoring.sources import Source
from workflow.codec import Codec
from workflow.engine import Application
from workflow.engine.intake import Outgoing
from workflow.engine.pumps import Pump
from workflow.errors import WorkflowRunFailedError
from workflow.world.records import ChunkWrite, NewRun
from workflow.worlds import memory

FLOWS = """
    import asyncio
    from collections.abc import AsyncIterable, AsyncIterator
    from dataclasses import dataclass
    from typing import Any

    from workflow import FatalError, Readable, Writable, get_writable, sleep

    go: Any = None
    closed: Any = None

    @dataclass
    class Parcel:
        name: str
        numbers: Readable[int]
        out: Writable[str]

    async def counting(n: int) -> AsyncIterator[int]:
        for i in range(n):
            yield i

    async def endless() -> AsyncIterator[int]:
        i = 0
        try:
            while True:
                yield i
                i += 1
                if i == 3:
                    await go.wait()
        finally:
            closed.set()

    async def pack(n: int) -> Parcel:
        "use step"
        return Parcel("made", Readable.of(counting(n)), get_writable(str, namespace="notes"))

    async def unpack(parcel: Parcel) -> int:
        "use step"
        total = sum([n async for n in parcel.numbers])
        await parcel.out.write(f"{parcel.name}: {total}")
        return total

    async def parcels(given: Parcel) -> Parcel:
        "use workflow"
        mine = await pack(4)
        await unpack(given)
        await unpack(mine)
        return mine

    async def write_some(n: int) -> None:
        "use step"
        out = get_writable(int)
        for i in range(n):
            await out.write(i)
        await go.wait()

    async def writes(n: int) -> None:
        "use workflow"
        await write_some(n)

    async def give() -> AsyncIterable[int]:
        "use step"
        return endless()

    async def gives() -> None:
        "use workflow"
        await give()
        await sleep("1h")

    def count(n: int) -> int:
        "use step"
        out = get_writable(int)
        for i in range(n):
            asyncio.run(out.write(i))
        asyncio.run(out.write_from(counting(n)))
        return n

    async def counts(n: int) -> int:
        "use workflow"
        return await count(n)

    class Source:
        def __aiter__(self) -> AsyncIterator[int]:
            return counting(2)

        async def aclose(self) -> None:
            closed.set()

    async def give_source() -> AsyncIterable[int]:
        "use step"
        return Source()

    async def fail(turns: int) -> None:
        "use step"
        for _ in range(turns):
            await asyncio.sleep(0)
        raise FatalError("no")

    async def fails(turns: int) -> None:
        "use workflow"
        failing = asyncio.create_task(fail(turns))
        giving = asyncio.create_task(give_source())
        await failing
        await giving

    def bad() -> Any:
        return object()

    async def give_badly() -> dict[str, Any]:
        "use step"
        return {"numbers": Source(), "bad": bad()}

    async def refused() -> None:
        "use workflow"
        await give_badly()

    async def close_twice() -> list[str]:
        "use step"
        out = get_writable(int)
        await out.write(1)
        await out.close()
        said = []
        for again in (out.close, lambda: out.write(2), lambda: out.write_from(counting(2))):
            try:
                await again()
                said.append("nothing")
            except Exception as error:
                said.append(type(error).__name__)
        return said

    async def writes_a_list() -> str:
        "use step"
        values: Any = [1, 2]
        try:
            await get_writable(int).write_from(values)
        except TypeError as error:
            return str(error)
        return "written"

    async def lists() -> str:
        "use workflow"
        return await writes_a_list()

    async def closes() -> list[str]:
        "use workflow"
        return await close_twice()
"""


@pytest.fixture(params=WORLDS)
def make_world(request: pytest.FixtureRequest, tmp_path: Path) -> MakeWorld:
    return maker(request.param, tmp_path)


def serve(make_world: MakeWorld, folder: Path, play: Any) -> None:
    project = build(folder, FLOWS)

    async def main() -> None:
        async with Application(make_world(), project, grace=0.2) as application:
            flows = loaded(folder)
            flows.go = asyncio.Event()
            flows.closed = asyncio.Event()
            await play(application, flows)

    asyncio.run(main())


def test_streams_in_classes(make_world: MakeWorld, tmp_path: Path) -> None:
    """A field of a dataclass may be a stream: of an upload, of a step's result, of the run's."""

    async def play(app: Application, flows: Any) -> None:
        given = flows.Parcel("given", Readable.of(flows.counting(3)), Writable("", "notes"))
        run = await start(flows.parcels, given)
        made = await run.result(60)
        assert type(made) is flows.Parcel
        assert [n async for n in made.numbers] == [0, 1, 2, 3]
        notes = [note async for note in run.get_readable(namespace="notes")]
        assert notes == ["given: 3", "made: 6"]
        assert given.numbers == given.numbers.from_index(0) != made.numbers

    serve(make_world, tmp_path, play)


def test_where_reading_begins(make_world: MakeWorld, tmp_path: Path) -> None:
    """An index before the first value is the first; one behind the last waits for what comes; a
    reader that is cancelled leaves nothing behind."""

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.writes, 3)
        values = run.readable
        reading = aiter(values)
        assert [await anext(reading) for _ in range(3)] == [0, 1, 2]
        assert await values.get_tail_index() == 2
        for index, first in ((-1, 2), (-3, 0), (-4, 0), (-(10**30), 0)):
            assert await anext(aiter(values.from_index(index))) == first
        more = [aiter(values.from_index(index)) for index in (3, 4, 10**30)]
        waiting = [asyncio.ensure_future(anext(each, "the end")) for each in (reading, *more)]
        await asyncio.wait(waiting, timeout=0)
        waiting[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting[0]
        flows.go.set()
        assert await asyncio.gather(*waiting[1:]) == ["the end"] * 3
        await run.result(60)
        assert [n async for n in values.from_index(-2)] == [1, 2]
        assert await run.get_readable(namespace="none").get_tail_index() == -1
        gc.collect()
        for _ in range(1000):  # generators that nobody has any more are closed by the loop
            await asyncio.sleep(0)
        assert not [key for key in news._readers if key[0] == run.run_id]

    serve(make_world, tmp_path, play)


def test_wrong_ways_to_read(tmp_path: Path) -> None:
    """What is no index, cursor, limit or name is refused in words, before a world sees it."""
    run: Run[Any] = Run(memory.create(), Codec(), "wrun_1")
    values = run.readable
    for index in ("x", None, 1.5):
        with pytest.raises(TypeError, match="a whole number"):
            values.from_index(index)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not written yet"):
        Readable.of(values).from_index(1)
    for name in ("a\0b", "\ud800", "x" * 201):
        with pytest.raises(ValueError, match="a stream's name"):
            run.get_readable(namespace=name)

    async def main() -> None:
        for cursor in (5, "", "-1", "1.0", "\u0663", "9" * 5000):
            with pytest.raises(ValueError, match="not the cursor"):
                await values.get_chunks(cursor=cursor)  # type: ignore[arg-type]
        for limit in (0, -1, 1001, "1", 2.5, None):
            with pytest.raises(ValueError, match="a page has 1 to 1000 values"):
                await values.get_chunks(limit=limit)  # type: ignore[arg-type]

    asyncio.run(main())


def test_a_plain_function_writes(make_world: MakeWorld, tmp_path: Path) -> None:
    """A step that runs in a thread has no event loop, and makes one for what it writes."""

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.counts, 3)
        assert [n async for n in run.readable] == [0, 1, 2, 0, 1, 2]
        assert await run.result(60) == 3

    serve(make_world, tmp_path, play)


def test_a_stream_is_closed_once(make_world: MakeWorld, tmp_path: Path) -> None:
    """Writing to it afterwards is an error; closing it again is none, as a retry may do it."""

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.closes)
        assert await run.result(60) == ["nothing", "RunEndedError", "RunEndedError"]
        assert [n async for n in run.readable] == [1]

    serve(make_world, tmp_path, play)


def test_a_list_is_written_item_by_item(tmp_path: Path) -> None:
    """`write_from` says what to write where it is given something that is no source of values."""

    async def play(app: Application, flows: Any) -> None:
        said = await (await start(flows.lists)).result(60)
        assert said.startswith("write_from() takes an asynchronous iterable, not list. Write the ")

    serve(maker("memory", tmp_path), tmp_path, play)


def test_a_cancelled_run_ends_its_streams(make_world: MakeWorld, tmp_path: Path) -> None:
    """Readers of what a step writes see the end; those of a step's result that it was cut off."""

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.gives)

        async def look() -> str | None:
            found = await app.world.list_streams(run.run_id)
            return found[0] if found else None

        name = await until(app.world, look, what="the stream")
        reading = aiter(run.get_readable(namespace=name))
        assert [await anext(reading) for _ in range(3)] == [0, 1, 2]
        await run.cancel("enough")
        with pytest.raises(StreamError, match="ended before this stream"):
            await anext(reading)
        flows.go.set()  # its writer asks for the next item, and is not taken any more
        async with asyncio.timeout(60):
            await flows.closed.wait()

        flows.go.clear()
        run = await start(flows.writes, 3)
        reading = aiter(run.readable)
        assert [await anext(reading) for _ in range(3)] == [0, 1, 2]
        await run.cancel("enough")
        assert await anext(reading, "the end") == "the end"

    serve(make_world, tmp_path, play)


def test_refused_results_let_their_streams_go(make_world: MakeWorld, tmp_path: Path) -> None:
    """Of a result that holds something that cannot be recorded, the streams are closed."""

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.refused)
        with pytest.raises(WorkflowRunFailedError, match=r"result\.bad: builtins\.object"):
            await run.result(60)
        assert flows.closed.is_set()
        assert await app.world.list_streams(run.run_id) == ()

    serve(make_world, tmp_path, play)


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 4, 6, 9, 20])
def test_a_result_that_comes_when_its_run_has_failed(tmp_path: Path, turns: int) -> None:
    """Whenever the run ends, before, with or after the result, what the step returned is closed."""

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.fails, turns)
        with pytest.raises(WorkflowRunFailedError, match="no"):
            await run.result(60)
        async with asyncio.timeout(60):
            await flows.closed.wait()

    serve(memory.create, tmp_path, play)


def test_a_result_that_does_not_count(make_world: MakeWorld) -> None:
    """Its generator is closed, and so is its stream, with an error."""

    async def main() -> None:
        world = make_world()
        await world.open()
        await world.create(NewRun(run_id="wrun_1", workflow="w", input=b"", meta=b"{}"))
        closed = asyncio.Event()

        async def numbers() -> AsyncIterator[int]:
            try:
                yield 1
                yield 2
            finally:
                closed.set()

        values = numbers()
        assert await anext(values) == 1
        codec = Codec()
        pump = Pump(world, codec, "ann", Outgoing("wrun_1", "strm_1", values))
        write = ChunkWrite(
            run_id="wrun_1", stream="strm_1", step_id="", attempt=0, worker="ann", own=True
        )
        await world.write_chunks(write)
        await pump.give_up("it does not count")
        assert closed.is_set()
        readable = Readable[int]("wrun_1", "strm_1", source=Source(world, codec))
        with pytest.raises(StreamError, match="it does not count; 0 values"):
            await anext(aiter(readable))
        await world.close()

    asyncio.run(main())

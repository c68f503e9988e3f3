"""Streams as values: results of steps and runs, arguments, data. On every world."""

from __future__ import annotations

import asyncio
import base64
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from tests.engine.streaming import WORLDS, MakeWorld, maker, serve
from tests.project import build, loaded
from workflow import Readable
from workflow.api import Run, start
from workflow.engine import Application
from workflow.errors import (
    ContextError,
    SerializationError,
    WorkflowRunFailedError,
)
from workflow.worlds import local


@pytest.fixture(params=WORLDS)
def make_world(request: pytest.FixtureRequest, tmp_path: Path) -> MakeWorld:
    return maker(request.param, tmp_path)


def test_streams_pass_through_steps(make_world: MakeWorld, tmp_path: Path) -> None:
    """A step returns a generator, another one makes it over, a third one reads it; the log has
    nothing but references."""

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.pipeline, 1000)
        assert await run.result(60) == 999_000
        events = await app.world.list_events(run.run_id)
        assert len(events) == 8
        assert sum(len(event.payload or b"") for event in events) < 3000
        streams = await app.world.list_streams(run.run_id)
        assert [name[:5] for name in streams] == ["strm_", "strm_"]

    serve(make_world, tmp_path, play)


def test_the_result_of_a_run_is_a_stream(make_world: MakeWorld, tmp_path: Path) -> None:
    """It can be read again and again, from any index, and in pages."""

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.result, 5)
        found = await run.return_value
        assert isinstance(found, Readable)
        assert [n async for n in found] == [0, 1, 2, 3, 4]
        assert [n async for n in found] == [0, 1, 2, 3, 4]
        assert await found.get_tail_index() == 4
        assert [n async for n in found.from_index(10**30)] == []
        assert (await found.get_chunks(cursor=str(10**30))).done
        page = await found.get_chunks(limit=3)
        assert ([c.value for c in page.chunks], page.has_more, page.done) == (
            [0, 1, 2],
            True,
            False,
        )
        page = await found.get_chunks(limit=3, cursor=page.cursor)
        assert ([c.value for c in page.chunks], page.cursor, page.done) == ([3, 4], None, True)

    serve(make_world, tmp_path, play)


def test_a_result_is_written_on_when_its_run_has_ended(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    """The run has completed while its stream is half written; readers wait for the rest."""

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.slow_result, 6)
        values = aiter((await run.result(60))["numbers"])
        assert [await anext(values) for _ in range(3)] == [0, 1, 2]
        flows.go.set()
        assert [n async for n in values] == [3, 4, 5]

    serve(make_world, tmp_path, play)


def test_a_step_reads_while_another_still_writes(make_world: MakeWorld, tmp_path: Path) -> None:
    """The writer waits half way for the reader, and two readers read the same stream."""

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.both, 10)
        assert await run.result(60) == [0, 45, 45]

    serve(make_world, tmp_path, play)


def test_streams_in_data(make_world: MakeWorld, tmp_path: Path) -> None:
    """A result may hold several of them, wherever."""

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.in_data, 4)
        assert await run.result(60) == [6, 1, 4]

    serve(make_world, tmp_path, play)


def test_a_body_cannot_read(make_world: MakeWorld, tmp_path: Path) -> None:
    """The error says to read in a step; a generator of the body is refused with what to do."""

    async def play(app: Application, flows: Any) -> None:
        run: Run[Any] = await start(flows.iterates, 4)
        with pytest.raises(WorkflowRunFailedError, match="read in a step") as caught:
            await run.result(60)
        assert isinstance(caught.value.__cause__, ContextError)
        run = await start(flows.passes_generator)
        with pytest.raises(WorkflowRunFailedError, match="Return it from a step") as caught:
            await run.result(60)
        assert isinstance(caught.value.__cause__, SerializationError)

    serve(make_world, tmp_path, play)


def test_sealed_streams(
    make_world: MakeWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Encrypted and compressed chunks pass through steps, to children and out again."""
    monkeypatch.setenv("WORKFLOW_ENCRYPTION_KEYS", base64.b64encode(bytes(32)).decode())
    monkeypatch.setenv("WORKFLOW_COMPRESS_ABOVE", "10")

    async def play(app: Application, flows: Any) -> None:
        assert await (await start(flows.pipeline, 100)).result(60) == 9900
        assert await (await start(flows.takes_from_child, 5)).result(60) == 10
        run = await start(flows.parent)
        await run.result(60)
        talk = run.get_readable(namespace="talk")
        assert [t async for t in talk] == ["first", "hello from the child"]
        with pytest.raises(WorkflowRunFailedError, match="the source is gone"):
            await (await start(flows.breaks, 4)).result(60)

    serve(make_world, tmp_path, play)


def test_children_and_streams(make_world: MakeWorld, tmp_path: Path) -> None:
    """A child writes to its parent's stream, takes a stream of its parent, and gives one back."""

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.parent)
        assert await run.result(60) == "the child"
        talk = run.get_readable(namespace="talk")
        assert [t async for t in talk] == ["first", "hello from the child"]
        assert await (await start(flows.gives_to_child, 5)).result(60) == 10
        assert await (await start(flows.takes_from_child, 5)).result(60) == 10

    serve(make_world, tmp_path, play)


LARGE = """
    from collections.abc import AsyncIterable
    from workflow import Readable

    BLOCK = 256 * 1024

    async def blocks(n: int):
        for i in range(n):
            yield bytes([i % 251]) * BLOCK

    async def produce(n: int) -> Readable[bytes]:
        "use step"
        return Readable.of(blocks(n))

    async def inverted(source: Readable[bytes]):
        table = bytes(255 - i for i in range(256))
        async for block in source:
            yield block.translate(table)

    async def invert(source: Readable[bytes]) -> Readable[bytes]:
        "use step"
        return Readable.of(inverted(source))

    async def measure(source: Readable[bytes]) -> int:
        "use step"
        size = 0
        async for block in source:
            size += len(block)
        return size

    async def flow(n: int) -> int:
        "use workflow"
        return await measure(await invert(await produce(n)))
"""


def test_a_large_file_takes_little_memory(tmp_path: Path) -> None:
    """64 MB pass through three steps that run at the same time, and never more than a few MB are
    held in memory."""
    project = build(tmp_path, LARGE)

    async def main() -> int:
        world = local.create_local_world(tmp_path / "data")
        async with Application(world, project):
            warm = await start(loaded(tmp_path).flow, 4)
            assert await warm.result(60) == 4 * 256 * 1024
            tracemalloc.start()
            try:
                run = await start(loaded(tmp_path).flow, 256)
                assert await run.result(120) == 64 * 1024 * 1024
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    assert asyncio.run(main()) < 24 * 1024 * 1024


PROCESSES = """
    from workflow import Readable, get_writable, step_options

    async def counting(n: int):
        for i in range(n):
            yield i

    async def counted(n: int) -> Readable[int]:
        "use step"
        return Readable.of(counting(n))

    @step_options(run_in="process")
    async def looked_at(numbers: Readable[int]) -> Readable[int]:
        "use step"
        await get_writable(int).write(sum([n async for n in numbers]))
        return numbers

    @step_options(run_in="process")
    async def fresh(n: int) -> Readable[int]:
        "use step"
        return Readable.of(counting(n))

    async def flow(n: int) -> Readable[int]:
        "use workflow"
        return await looked_at(await counted(n))

    async def refused(n: int) -> Readable[int]:
        "use workflow"
        return await fresh(n)
"""


def test_steps_in_processes(tmp_path: Path) -> None:
    """They read streams and pass them on, and are told that they cannot return one of their own."""
    project = build(tmp_path, PROCESSES)

    async def main() -> None:
        async with Application(local.create_local_world(tmp_path / "data"), project):
            run = await start(loaded(tmp_path).flow, 5)
            assert [n async for n in await run.result(60)] == [0, 1, 2, 3, 4]
            assert [n async for n in run.readable] == [10]
            with pytest.raises(WorkflowRunFailedError, match="cannot return a stream of its own"):
                await (await start(loaded(tmp_path).refused, 5)).result(60)

    asyncio.run(main())

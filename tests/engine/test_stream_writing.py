"""Writing streams: types, limits, back-pressure, several writers, attempts that fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import new_world
from tests.project import build, loaded, until
from workflow import StreamChunk
from workflow.api import start
from workflow.authoring.outflow import pour
from workflow.engine import Application
from workflow.errors import RunEndedError, SerializationError, WorkflowRunFailedError
from workflow.world.port import World
from workflow.worlds import local, memory

MakeWorld = Callable[[], World]
Play = Callable[[Application, Any], Awaitable[None]]

FLOWS = """
    import asyncio
    from dataclasses import dataclass
    from typing import Any

    from workflow import FatalError, Writable, get_step_metadata, get_writable, step_options

    go: Any = None

    @dataclass
    class Progress:
        done: int
        of: int

    async def reports(value: Any) -> str:
        "use step"
        out = get_writable(Progress)
        await out.write(Progress(1, 2))
        try:
            await out.write(value)
        except TypeError as error:
            return str(error)
        return "taken"

    async def report(value: Any) -> str:
        "use workflow"
        return await reports(value)

    async def numbers(value: Any) -> str:
        "use step"
        try:
            await get_writable(list[int]).write_from(one(value))
        except TypeError as error:
            return str(error)
        return "taken"

    async def one(value):
        yield value

    async def number(value: Any) -> str:
        "use workflow"
        return await numbers(value)

    async def floods() -> None:
        "use step"
        await get_writable().write("x" * 5_000_000)

    async def flood() -> None:
        "use workflow"
        await floods()

    async def many(name: str) -> None:
        "use step"
        out = get_writable()
        for n in range(20):
            await out.write((name, n))

    async def together() -> None:
        "use workflow"
        await asyncio.gather(*[many(name) for name in "abc"])

    @step_options(backoff=0)
    async def stumbles(until: int) -> None:
        "use step"
        attempt = get_step_metadata().attempt
        out = get_writable()
        await out.write(f"begun {attempt}")
        if attempt < until:
            raise ValueError("not yet")
        await out.write(f"done {attempt}")

    @step_options(max_retries=0)
    async def gives_up() -> None:
        "use step"
        await get_writable().write("in vain")
        raise FatalError("no")

    async def waits() -> None:
        "use step"
        await get_writable().write("early")
        await go.wait()

    async def retried() -> None:
        "use workflow"
        await stumbles(3)
        try:
            await gives_up()
        except FatalError:
            pass
        await waits()

    async def names(name: str) -> str:
        "use workflow"
        return get_writable(namespace=name).namespace

    async def closes() -> None:
        "use step"
        out = get_writable()
        await out.write(1)
        await out.close()
        await out.write(2)

    async def close() -> None:
        "use workflow"
        await closes()

    @step_options(backoff=0)
    async def closes_too_early(namespace: str) -> None:
        "use step"
        attempt = get_step_metadata().attempt
        out = get_writable(namespace=namespace)
        await out.write_from(one(f"attempt {attempt}"))
        await out.close()
        if attempt < 3:
            raise ValueError("not yet")

    @step_options(max_retries=1, backoff=0)
    async def closes_it_empty(namespace: str, number: int) -> None:
        "use step"
        out = get_writable(int, namespace=namespace)
        if get_step_metadata().attempt == 1:
            await out.close()
            raise ValueError("nothing came")
        await out.write(number)
        await out.close()

    async def close_empty() -> str:
        "use workflow"
        await closes_it_empty("", 1)
        await closes_it_empty("own", 2)
        try:
            await closes_it_empty("", 3)
        except Exception as error:
            return type(error).__name__
        return "taken"

    async def of_somebody_else() -> None:
        "use step"
        await get_writable(namespace="other").write("mine")
        await get_writable(namespace="other").close()

    @step_options(max_retries=1, backoff=0)
    async def writes_late() -> None:
        "use step"
        await get_writable(namespace="other").write("too late")

    async def close_early() -> str:
        "use workflow"
        await closes_too_early("")
        await of_somebody_else()
        try:
            await writes_late()
        except Exception as error:
            return type(error).__name__
        return "taken"
"""


@pytest.fixture(params=["memory", "local", "postgres"])
def make_world(request: pytest.FixtureRequest, tmp_path: Path) -> MakeWorld:
    if request.param == "memory":
        return memory.create
    if request.param == "postgres":
        return new_world
    return lambda: local.create_local_world(tmp_path / "data")


def serve(world: World, folder: Path, play: Play) -> None:
    """Build the flows, start an application on them, and let `play` do the rest."""
    project = build(folder, FLOWS)

    async def main() -> None:
        async with Application(world, project, grace=0.2) as application:
            flows = loaded(folder)
            flows.go = asyncio.Event()
            await play(application, flows)

    asyncio.run(main())


def test_typed_streams_check_what_is_written(tmp_path: Path) -> None:
    """A value of another type is refused with both types and the place; nothing of it is read."""

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.report, {"done": 1, "of": 2})
        assert "opened for Progress and got dict" in await run.result(60)
        assert [p.done async for p in run.readable] == [1]
        run = await start(flows.number, [1, "2"])
        refused = await run.result(60)
        assert "opened for list[int] and got list, at [1]: Input should be a valid int" in refused
        assert [n async for n in run.readable] == []
        assert await (await start(flows.number, [1, 2])).result(60) == "taken"

    serve(memory.create(), tmp_path, play)


def test_a_chunk_has_a_limit(tmp_path: Path) -> None:
    """A value that is too large for one chunk is refused with both sizes, at once."""

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.flood)
        with pytest.raises(WorkflowRunFailedError, match="smaller pieces") as caught:
            await run.result(60)
        assert isinstance(caught.value.__cause__, SerializationError)
        assert "4,194,304" in str(caught.value)

    serve(memory.create(), tmp_path, play)


def test_writers_at_the_same_time(make_world: MakeWorld, tmp_path: Path) -> None:
    """Each writer's values stay in order, and a chunk says which step wrote it."""

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.together)
        await run.result(60)
        chunks: list[StreamChunk[Any]] = [chunk async for chunk in run.readable.chunks()]
        assert [chunk.index for chunk in chunks] == list(range(60))
        writers: dict[str, set[str]] = {}
        for name in "abc":
            assert [c.value[1] for c in chunks if c.value[0] == name] == list(range(20))
            writers[name] = {c.step_id for c in chunks if c.value[0] == name}
            assert len(writers[name]) == 1
        assert len(set.union(*writers.values())) == 3

    serve(make_world(), tmp_path, play)


def test_what_failed_attempts_wrote(make_world: MakeWorld, tmp_path: Path) -> None:
    """It is read like all else, with its attempt; with `skip_failed` it is left out, and what an
    attempt writes comes when that has succeeded."""

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.retried)
        everything = run.readable.chunks()
        seen = [await anext(everything) for _ in range(6)]
        assert [(chunk.value, chunk.attempt) for chunk in seen] == [
            ("begun 1", 1),
            ("begun 2", 2),
            ("begun 3", 3),
            ("done 3", 3),
            ("in vain", 1),
            ("early", 1),
        ]
        skipping = aiter(run.get_readable(skip_failed=True))
        assert [await anext(skipping), await anext(skipping)] == ["begun 3", "done 3"]
        third = asyncio.ensure_future(anext(skipping))
        await until(app.world, lambda: _true(), what="a look at the stream")
        assert not third.done()  # its step is still at work
        flows.go.set()
        assert await third == "early"
        assert [value async for value in skipping] == []

    serve(make_world(), tmp_path, play)


async def _true() -> bool:
    return True


def test_a_closed_stream_takes_nothing(tmp_path: Path) -> None:
    """Writing to it raises, and what was there is read to its end."""

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.close)
        assert [n async for n in run.readable] == [1]
        await run.terminate()

    serve(memory.create(), tmp_path, play)


def test_what_a_failed_attempt_closed(make_world: MakeWorld, tmp_path: Path) -> None:
    """It is whole: the step can succeed, and what its next attempts write there is left out, also
    for readers that skip what failed. What another step has closed still takes nothing."""

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.close_early)
        assert await run.result(60) == "RunEndedError"
        assert [value async for value in run.readable] == ["attempt 1"]
        assert [value async for value in run.get_readable(skip_failed=True)] == ["attempt 1"]
        assert [value async for value in run.get_readable(namespace="other")] == ["mine"]

    serve(make_world(), tmp_path, play)


def test_an_empty_stream_that_a_failed_attempt_closed(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    """It is whole as well, and empty; for another step it is closed."""

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.close_empty)
        assert await run.result(60) == "RunEndedError"
        for readable in (run.readable, run.get_readable(namespace="own", skip_failed=True)):
            assert [value async for value in readable] == []
            assert await readable.get_tail_index() == -1

    serve(make_world(), tmp_path, play)


def test_names_of_streams(tmp_path: Path) -> None:
    """Those that the runtime gives cannot be asked for, nor endless ones."""

    async def play(app: Application, flows: Any) -> None:
        assert await (await start(flows.names, "notes")).result(60) == "notes"
        for wrong in ("strm_1", "x" * 201, "a\0b", "\ud800"):
            with pytest.raises(WorkflowRunFailedError) as caught:
                await (await start(flows.names, wrong)).result(60)
            assert isinstance(caught.value.__cause__, ValueError)

    serve(memory.create(), tmp_path, play)


# -- pouring ---------------------------------------------------------------------------------


def test_a_fast_producer_has_to_wait() -> None:
    """No more than the room waits while a write is under way, and nothing is lost or moved."""

    async def main() -> None:
        given = 0
        most = 0
        sent: list[bytes] = []
        going = asyncio.Event()

        async def values() -> AsyncIterator[int]:
            nonlocal given
            for n in range(100):
                given += 1
                yield n

        async def send(chunks: tuple[bytes, ...]) -> None:
            nonlocal most
            await going.wait()
            most = max(most, len(chunks))
            sent.extend(chunks)

        pouring = asyncio.ensure_future(pour(values(), lambda n: b"%010d" % n, send, room=50))
        for _ in range(100):
            await asyncio.sleep(0)
        assert given == 6  # five fill the room, the sixth waits in it
        going.set()
        await pouring
        assert sent == [b"%010d" % n for n in range(100)]
        assert most <= 6

    asyncio.run(main())


def test_what_came_before_an_error_is_written() -> None:
    """An iterable that raises has its values written first, and its error comes out."""

    async def main() -> None:
        sent: list[bytes] = []

        async def values() -> AsyncIterator[bytes]:
            yield b"one"
            raise ValueError("two")

        async def send(chunks: tuple[bytes, ...]) -> None:
            sent.extend(chunks)

        with pytest.raises(ValueError, match="two"):
            await pour(values(), bytes, send)
        assert sent == [b"one"]

    asyncio.run(main())


def test_a_write_that_fails_stops_the_producer() -> None:
    """What a write raises comes out of the pouring, also when it is a cancellation."""

    class Stop(asyncio.CancelledError):
        pass

    async def main() -> None:
        for error in (RunEndedError("closed"), Stop()):
            given: list[int] = []

            async def values(given: list[int] = given) -> AsyncIterator[bytes]:
                for n in range(1000):
                    given.append(n)
                    await asyncio.sleep(0)
                    yield b"x"

            async def send(chunks: tuple[bytes, ...], error: BaseException = error) -> None:
                raise error

            with pytest.raises(type(error)):
                await pour(values(), bytes, send)
            assert len(given) < 10

    asyncio.run(main())


def test_a_cancellation_at_the_very_end_is_not_lost() -> None:
    """One that comes while the pouring only clears up ends the caller all the same."""

    async def main() -> None:
        loop = asyncio.get_running_loop()

        async def values() -> AsyncIterator[bytes]:
            yield b"one"
            await asyncio.sleep(0)
            loop.call_soon(pouring.cancel)  # everything is written: this comes in stop()

        async def send(chunks: tuple[bytes, ...]) -> None:
            pass

        pouring = asyncio.ensure_future(pour(values(), bytes, send))
        with pytest.raises(asyncio.CancelledError):
            await pouring

    asyncio.run(main())

"""Streams read over HTTP and through the API, and what passes through them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.scenarios.stage import Service, Stage, on
from workflow.api import Run


async def _over_http(stage: Stage, run: Run[Any], **query: Any) -> str:
    answer = await stage.client.get(f"/runs/{run.run_id}/stream", params=query)
    assert answer.status_code == 200, stage.service.log()
    return answer.text


@pytest.mark.scenario(
    "outputStream",
    "outputStream: positive start index",
    "outputStream: negative start index",
)
@pytest.mark.parametrize(
    ("start", "text"),
    [(0, "one two three"), (1, "two three"), (-1, "three"), (-9, "one two three")],
)
def test_output_stream(service: Service, start: int, text: str) -> None:
    """Default and named streams, from any index, open or closed by a step or by the run's end."""

    async def work(stage: Stage) -> None:
        run = await stage.start("streams.output_stream")
        if start >= 0:  # a negative one counts from what is there at that moment
            assert await _over_http(stage, run, start_index=start) == text
        assert await _over_http(stage, run, namespace="named") == "ab"
        assert await stage.result(run) is None
        assert await _over_http(stage, run, start_index=start) == text

    on(service, work)


@pytest.mark.scenario("outputStreamInsideStep", "utf8Stream")
@pytest.mark.parametrize(
    ("name", "query", "text"),
    [
        ("output_stream_inside_step", {"namespace": "inside"}, "from inside"),
        ("utf8_stream", {}, "éß漢🎈"),
    ],
)
def test_text(service: Service, name: str, query: dict[str, str], text: str) -> None:
    """A step gets the stream itself; text of any language arrives as it was."""

    async def work(stage: Stage) -> str:
        return await _over_http(stage, await stage.start(f"streams.{name}"), **query)

    assert on(service, work) == text


@pytest.mark.scenario("getTailIndex")
def test_tail_index(service: Service) -> None:
    """The index of the last value; -1 where there is none."""

    async def work(stage: Stage) -> list[int]:
        runs = [await stage.start(f"streams.{name}") for name in ("output_stream", "nothing")]
        found = []
        for run in runs:
            await stage.result(run)
            found.append(await run.readable.get_tail_index())
        return found

    assert on(service, work) == [2, -1]


@pytest.mark.scenario("getChunks in pages")
def test_chunks_in_pages(service: Service) -> None:
    """The pages together are the stream."""

    async def work(stage: Stage) -> None:
        run = await stage.start("streams.many_chunks", 25)
        await stage.result(run)
        page = await run.readable.get_chunks(limit=10)
        sizes, values = [len(page.chunks)], [chunk.value for chunk in page.chunks]
        while page.has_more:
            page = await run.readable.get_chunks(limit=10, cursor=page.cursor)
            sizes.append(len(page.chunks))
            values += [chunk.value for chunk in page.chunks]
        assert (sizes, values) == ([10, 10, 5], [str(n) for n in range(25)])

    on(service, work)


@pytest.mark.scenario("readableStream")
def test_readable_stream(service: Service) -> None:
    """The result of a run is a stream of ten chunks that a step has given."""

    async def work(stage: Stage) -> str:
        run = await stage.start("streams.readable_stream")
        answer = await stage.client.get(f"/runs/{run.run_id}/result-stream")
        assert answer.status_code == 200, stage.service.log()
        return answer.text

    assert on(service, work) == "".join(f"chunk {n}\n" for n in range(10))


@pytest.mark.scenario("writableForwardedFromWorkflow", "writableForwardedFromStep")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("forwarded_from_workflow", "from a child of the body"),
        ("forwarded_from_step", "from a child of a step"),
    ],
)
def test_forwarded(service: Service, name: str, text: str) -> None:
    """A child writes to the stream of the run that has started it."""

    async def work(stage: Stage) -> str:
        return await _over_http(stage, await stage.start(f"streams.{name}"))

    assert on(service, work) == text


@pytest.mark.scenario("fetchWorkflow")
def test_fetch(service: Service) -> None:
    """A request is a step: what was sent and what came back."""

    async def work(stage: Stage) -> tuple[Any, bytes]:
        seen = bytearray()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.extend(await reader.readuntil(b'{"a":1}'))
            writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nmade")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        found = await stage.run("streams.fetch_workflow", f"http://127.0.0.1:{port}/things")
        server.close()
        return found, bytes(seen)

    found, seen = on(service, work)
    assert found == [201, "made"]
    assert seen.startswith(b"POST /things HTTP/1.1\r\n")


@pytest.mark.scenario("payloadCompression")
def test_large_values(service: Service) -> None:
    """Large values of a run are compressed where they are kept, and come back as they were."""

    async def work(stage: Stage) -> None:
        run = await stage.start("streams.large_values", 100_000)
        assert await stage.result(run) == 300_000
        kept = [event.payload for event in await stage.events(run) if event.payload]
        assert max(len(payload) for payload in kept) < 30_000

    on(service, work)

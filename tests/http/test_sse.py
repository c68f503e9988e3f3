"""Streams of runs as server-sent events and as plain streaming responses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tests.project import build
from workflow import Readable
from workflow.api import Run, get_run, get_world, start
from workflow.engine import Application
from workflow.http.sse import sse_response
from workflow.worlds import memory

SOURCE = """
from collections.abc import AsyncIterable
from pydantic import BaseModel
from workflow import get_writable

async def one():
    yield "one"
    raise ValueError("no")

async def breaks() -> AsyncIterable[str]:
    "use step"
    return one()

async def falls() -> AsyncIterable[str]:
    "use workflow"
    return await breaks()

async def numbers() -> AsyncIterable[int]:
    "use step"
    return (n async for n in three())

async def three():
    for n in range(3):
        yield n

async def counts() -> AsyncIterable[int]:
    "use workflow"
    return await numbers()

async def stores(body: AsyncIterable[bytes]) -> str:
    "use workflow"
    return str(await size(body))

async def size(body: AsyncIterable[bytes]) -> int:
    "use step"
    return sum([len(piece) async for piece in body])

class Part(BaseModel):
    n: int

async def talk(parts: list):
    "use step"
    out = get_writable()
    for part in parts:
        await out.write(part)
    await out.write(Part(n=1))

async def main(parts: list):
    "use workflow"
    await talk(parts)

async def words():
    "use workflow"
    await talk_words()

async def talk_words():
    "use step"
    out = get_writable()
    await out.write("a")
    await out.write(b"b")
"""


async def events(request: Request) -> Response:
    return sse_response(get_run(request.path_params["run_id"]), request)


async def plain(request: Request) -> Response:
    return StreamingResponse(get_run(request.path_params["run_id"]).readable)


async def result(request: Request) -> Response:
    return sse_response(await get_run(request.path_params["run_id"]), request)


async def body(request: Request) -> Response:
    numbers: Readable[int] = await get_run(request.path_params["run_id"])
    return StreamingResponse(f"{n}," async for n in numbers)


APP = Starlette(
    routes=[
        Route("/events/{run_id}", events),
        Route("/plain/{run_id}", plain),
        Route("/result/{run_id}", result),
        Route("/body/{run_id}", body),
    ]
)


def play(folder: Path, work: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
    project = build(folder, SOURCE)

    async def main() -> None:
        async with Application(memory.create(), project):
            transport = httpx.ASGITransport(APP)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                await work(client)

    asyncio.run(main())


def test_values_become_events_with_ids(tmp_path: Path) -> None:
    """Text goes as it is with all its line ends, other values as JSON, and a last event says so."""

    async def work(client: httpx.AsyncClient) -> None:
        odd = {"a": [1, None, float("nan"), 2**70]}
        run: Run[Any] = await start("main", ["one\r\ntwo", odd, b"raw", "half \ud800"])
        answer = await client.get(f"/events/{run.run_id}")
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.text.split("\n\n") == [
            "id: 0\ndata: one\ndata: two",
            'id: 1\ndata: {"a":[1,null,null,1180591620717411303424]}',
            "id: 2\ndata: raw",
            "id: 3\ndata: half ?",
            'id: 4\ndata: {"n":1}',
            "event: end\nid: end\ndata:",
            "",
        ]

    play(tmp_path, work)


@pytest.mark.fault("F44", "F45")
def test_a_client_that_comes_back_goes_on(tmp_path: Path) -> None:
    """`Last-Event-ID` continues behind that event; after the end there is nothing to come for."""

    async def work(client: httpx.AsyncClient) -> None:
        run: Run[Any] = await start("main", ["a", "b"])
        again = await client.get(f"/events/{run.run_id}", headers={"Last-Event-ID": "1"})
        assert again.text.startswith('id: 2\ndata: {"n":1}\n\nevent: end')
        done = await client.get(f"/events/{run.run_id}", headers={"Last-Event-ID": "end"})
        assert (done.status_code, done.text) == (204, "")
        for none in ("9" * 19, "9" * 5000):  # no index that was ever given out
            odd = await client.get(f"/events/{run.run_id}", headers={"Last-Event-ID": none})
            assert odd.status_code == 200
        for text in ("", "-1", "1.5", "0x1", "one", " 1, 2"):
            odd = await client.get(f"/events/{run.run_id}", headers={"Last-Event-ID": text})
            assert odd.text.startswith("id: 0\ndata: a\n\n"), text

    play(tmp_path, work)


def test_a_readable_is_the_body_of_a_streaming_response(tmp_path: Path) -> None:
    """Text and bytes of a stream are sent by Starlette's own response."""

    async def work(client: httpx.AsyncClient) -> None:
        run: Run[Any] = await start("words")
        assert (await client.get(f"/plain/{run.run_id}")).text == "ab"

    play(tmp_path, work)


def test_a_stream_that_broke_off_says_so(tmp_path: Path) -> None:
    """The last event has a type of its own and the reason; coming back is answered with the end."""

    async def work(client: httpx.AsyncClient) -> None:
        run: Run[Any] = await start("falls")
        answer = await client.get(f"/result/{run.run_id}")
        values, last = answer.text.split("event: failed\n")
        assert values == "id: 0\ndata: one\n\n"
        assert last.startswith("id: end\ndata: the stream broke off after 1 value: ValueError: no")
        again = await client.get(f"/result/{run.run_id}", headers={"Last-Event-ID": "end"})
        assert again.status_code == 204

    play(tmp_path, work)


def test_a_value_without_a_text_ends_the_events(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that came back would get no further: the last event says which value it is."""

    async def work(client: httpx.AsyncClient) -> None:
        run: Run[Any] = await start("main", ["a", 1j, "b"])
        answer = await client.get(f"/events/{run.run_id}")
        values, last = answer.text.split("event: failed\n")
        assert values == "id: 0\ndata: a\n\n"
        assert last == "id: end\ndata: value 1 cannot be sent: TypeError\n\n"
        assert "a complex has no JSON form" in caplog.text

    play(tmp_path, work)


def test_a_run_that_is_not_there_is_said_in_the_last_event(tmp_path: Path) -> None:
    """A page that asks for a run of long ago is told so, and does not come back for ever."""

    async def work(client: httpx.AsyncClient) -> None:
        answer = await client.get("/events/wrun_none")
        assert answer.text.startswith("event: failed\nid: end\ndata: no run 'wrun_none'")
        again = await client.get("/events/wrun_none", headers={"Last-Event-ID": "end"})
        assert again.status_code == 204

    play(tmp_path, work)


def test_a_result_goes_on_behind_the_last_event(tmp_path: Path) -> None:
    """A stream that a run has returned is sent like one of its named ones."""

    async def work(client: httpx.AsyncClient) -> None:
        run: Run[Any] = await start("counts")
        answer = await client.get(f"/result/{run.run_id}", headers={"Last-Event-ID": "1"})
        assert answer.text == "id: 2\ndata: 2\n\nevent: end\nid: end\ndata:\n\n"
        assert (await client.get(f"/body/{run.run_id}")).text == "0,1,2,"

    play(tmp_path, work)


def test_uploads_and_streams_in_fastapi(tmp_path: Path) -> None:
    """The body of a request goes to a run in pieces, and the run's stream comes back as the body of
    the answer, of text and of bytes."""
    app = FastAPI()

    @app.post("/upload")
    async def upload(request: Request) -> dict[str, str]:
        run: Run[Any] = await start("stores", request.stream())
        return {"run": run.run_id, "size": await run.return_value}

    @app.get("/talk")
    async def talk() -> Response:
        run: Run[Any] = await start("words")
        return StreamingResponse(run.readable, media_type="text/plain")

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"x" * 16_384

    async def work(_: httpx.AsyncClient) -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            answer = await client.post("/upload", content=pieces())
            assert answer.json()["size"] == "1048576"
            log = await get_world().list_events(answer.json()["run"])
            assert sum(len(event.payload or b"") for event in log) < 3000
            assert (await client.get("/talk")).text == "ab"

    play(tmp_path, work)

"""Streams of runs as server-sent events and as plain streaming responses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tests.project import build
from workflow.api import Run, get_run, start
from workflow.engine import Application
from workflow.http.sse import sse_response
from workflow.worlds import memory

SOURCE = """
from pydantic import BaseModel
from workflow import get_writable

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


APP = Starlette(routes=[Route("/events/{run_id}", events), Route("/plain/{run_id}", plain)])


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
        run: Run[Any] = await start("main", ["one\r\ntwo", {"a": [1, None]}, b"raw"])
        answer = await client.get(f"/events/{run.run_id}")
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.text.split("\n\n") == [
            "id: 0\ndata: one\ndata: two",
            'id: 1\ndata: {"a":[1,null]}',
            "id: 2\ndata: raw",
            'id: 3\ndata: {"n":1}',
            "event: end\nid: end\ndata:",
            "",
        ]

    play(tmp_path, work)


def test_a_client_that_comes_back_goes_on(tmp_path: Path) -> None:
    """`Last-Event-ID` continues behind that event; after the end there is nothing to come for."""

    async def work(client: httpx.AsyncClient) -> None:
        run: Run[Any] = await start("main", ["a", "b"])
        again = await client.get(f"/events/{run.run_id}", headers={"Last-Event-ID": "1"})
        assert again.text.startswith('id: 2\ndata: {"n":1}\n\nevent: end')
        done = await client.get(f"/events/{run.run_id}", headers={"Last-Event-ID": "end"})
        assert (done.status_code, done.text) == (204, "")

    play(tmp_path, work)


def test_a_readable_is_the_body_of_a_streaming_response(tmp_path: Path) -> None:
    """Text and bytes of a stream are sent by Starlette's own response."""

    async def work(client: httpx.AsyncClient) -> None:
        run: Run[Any] = await start("words")
        assert (await client.get(f"/plain/{run.run_id}")).text == "ab"

    play(tmp_path, work)

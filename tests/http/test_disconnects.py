"""Clients that go away in the middle: of an upload, and of a stream they read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tests.project import build
from workflow import StreamError
from workflow.api import Run, get_run, list_runs, start
from workflow.authoring import news
from workflow.engine import Application
from workflow.errors import WorkflowRunFailedError
from workflow.http.sse import sse_response
from workflow.worlds import memory

SOURCE = """
from collections.abc import AsyncIterable

from workflow import create_hook, get_writable

async def size(body: AsyncIterable[bytes]) -> int:
    "use step"
    return sum([len(piece) async for piece in body])

async def stores(body: AsyncIterable[bytes]) -> int:
    "use workflow"
    return await size(body)

async def say() -> None:
    "use step"
    await get_writable().write("one")

async def talks() -> None:
    "use workflow"
    await say()
    await create_hook(token="more")
"""

app = FastAPI()


@app.post("/upload")
async def upload(request: Request) -> dict[str, int]:
    """Take a body in pieces."""
    body: AsyncIterable[bytes] = request.stream()
    run: Run[Any] = await start("stores", body)
    return {"size": await run.return_value}


@app.get("/events/{run_id}")
async def events(run_id: str, request: Request) -> Response:
    """A run's stream as events."""
    return sse_response(get_run(run_id), request)


@app.get("/plain/{run_id}")
async def plain(run_id: str) -> Response:
    """The same as it is."""
    return StreamingResponse(get_run(run_id).readable)


class Client:
    """Sends some pieces, goes away when it has seen so much of the answer, and hears no more."""

    def __init__(self, method: str, path: str, pieces: list[bytes], until: bytes) -> None:
        self._scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "method": method,
            "http_version": "1.1", "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": [], "scheme": "http", "server": ("test", 80), "client": ("test", 1),
            "root_path": "",
        }  # fmt: skip
        self._pieces = pieces
        self._until = until
        self._seen = b""
        self._enough = asyncio.Event()
        if not until:
            self._enough.set()

    async def call(self) -> None:
        await app(self._scope, self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        if self._pieces:
            return {"type": "http.request", "body": self._pieces.pop(0), "more_body": True}
        await self._enough.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self._seen += message.get("body", b"")
        if self._until in self._seen:
            self._enough.set()


def play(folder: Path, work: Callable[[], Awaitable[None]]) -> None:
    project = build(folder, SOURCE)

    async def main() -> None:
        async with Application(memory.create(), project):
            async with asyncio.timeout(60):
                await work()

    asyncio.run(main())


def test_an_upload_that_is_broken_off(tmp_path: Path) -> None:
    """The handler gets StreamError, and so does the step that reads what came of the body."""

    async def work() -> None:
        with pytest.raises(StreamError, match="ClientDisconnect"):
            await Client("POST", "/upload", [b"x" * 10, b"y"], b"").call()
        (run,) = [run async for run in list_runs()]
        with pytest.raises(WorkflowRunFailedError, match="broke off after 2 values") as caught:
            await run.return_value
        assert isinstance(caught.value.__cause__, StreamError)

    play(tmp_path, work)


@pytest.mark.parametrize("path", ["events", "plain"])
def test_a_reader_that_goes_away(tmp_path: Path, path: str) -> None:
    """Whoever waits for the next value in its name stops, while the run goes on."""

    async def work() -> None:
        run: Run[Any] = await start("talks")
        await Client("GET", f"/{path}/{run.run_id}", [], b"one").call()
        for _ in range(1000):  # generators that nobody has any more are closed by the loop
            await asyncio.sleep(0)
        assert not [key for key in news._readers if key[0] == run.run_id]
        assert await run.status == "running"

    play(tmp_path, work)

"""Streams and `fetch`: what steps write to readers, and what they ask of the network."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.project import build, loaded
from workflow.api import start
from workflow.engine import Application
from workflow.errors import ContextError
from workflow.worlds import memory

FLOWS = """
    from workflow import Writable, fetch, get_writable, get_workflow_metadata

    async def numbers():
        for n in range(3):
            yield n

    async def write(out: Writable, text: str) -> str:
        "use step"
        await out.write_from(numbers())
        named = get_writable(str, namespace="notes")
        await named.write(text)
        await named.close()
        return get_workflow_metadata().workflow_name

    async def talk() -> list[str]:
        "use workflow"
        out = get_writable()
        return [await write(out, "hello")]

    async def writes_itself() -> None:
        "use workflow"
        await get_writable().write("from the body")  # wfc: ignore[WF520] what happens then

    async def ask(url: str) -> list[object]:
        "use workflow"
        answer = await fetch(url, method="POST", json={"q": 1})
        return [answer.status, answer.ok, await answer.json()]
"""


def test_streams_are_read_from_anywhere(tmp_path: Path) -> None:
    """Default and named streams, a whole iterable, negative start, tail index, the end."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        async with Application(memory.create(), project):
            run = await start(loaded(tmp_path).talk)
            assert await run.result(60) == ["talk"]
            assert [n async for n in run.readable] == [0, 1, 2]
            assert [n async for n in run.get_readable(start_index=-2)] == [1, 2]
            assert [n async for n in run.get_readable(start_index=1)] == [1, 2]
            assert await run.readable.get_tail_index() == 2
            assert [t async for t in run.get_readable(namespace="notes")] == ["hello"]
            empty = run.get_readable(namespace="never")
            assert await empty.get_tail_index() == -1
            assert [x async for x in empty] == []

    asyncio.run(main())


def test_a_body_cannot_write(tmp_path: Path) -> None:
    """Output is an effect; the error says to do it in a step."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        async with Application(memory.create(), project):
            run = await start(loaded(tmp_path).writes_itself)
            with pytest.raises(Exception, match="use step") as caught:
                await run.result(60)
            assert isinstance(caught.value.__cause__, ContextError)

    asyncio.run(main())


def test_fetch_is_a_recorded_step(tmp_path: Path) -> None:
    """A status that is no success is a response, not an error, and is in the log."""
    project = build(tmp_path, FLOWS)
    requests: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        requests.append(head.split(b"\r\n")[0] + b" " + await reader.readexactly(length))
        body = b'{"a": [1, 2]}'
        writer.write(
            b"HTTP/1.1 418 I'm a teapot\r\nContent-Type: application/json\r\n"
            b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def main() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, Application(memory.create(), project) as application:
            run = await start(loaded(tmp_path).ask, f"http://127.0.0.1:{port}/tea")
            assert await run.result(60) == [418, False, {"a": [1, 2]}]
            events = await application.world.list_events(run.run_id)
            assert [e.name for e in events if e.type == "step_completed"] == [
                "step//workflow//fetch"
            ]
        assert requests == [b'POST /tea HTTP/1.1 {"q":1}']

    asyncio.run(main())

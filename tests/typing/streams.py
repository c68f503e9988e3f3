"""Streams as type checkers see them. Checked by mypy and pyright strict, never run."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from typing import Any, assert_type

from starlette.requests import Request
from starlette.responses import StreamingResponse

from workflow import Readable, StreamChunk, StreamPage, Writable, get_writable
from workflow.api import Run, get_run, start
from workflow.http.sse import sse_response


async def lines(path: str) -> AsyncIterator[str]:
    yield path


async def read(path: str) -> Readable[str]:
    """A step that gives a stream."""
    "use step"
    return Readable.of(lines(path))


async def plainly(path: str) -> AsyncIterable[str]:
    """As much, in words of the standard library."""
    "use step"
    return lines(path)


async def wrong(path: str) -> Readable[int]:
    "use step"
    return Readable.of(lines(path))  # type: ignore[arg-type]  # pyright: ignore[reportReturnType]


async def measure(source: Readable[str]) -> int:
    """A step that takes one."""
    "use step"
    size = 0
    async for line in source:
        assert_type(line, str)
        size += len(line)
    return size


async def count(source: AsyncIterable[str]) -> int:
    "use step"
    return len([line async for line in source])


async def tell(out: Writable[int], size: int) -> None:
    "use step"
    await out.write(size)
    await out.write("size")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await out.write_from(lines("x"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await out.close()


async def flow(path: str) -> Readable[str]:
    """A workflow that passes streams on."""
    "use workflow"
    source = await read(path)
    assert_type(source, Readable[str])
    assert_type(await measure(source), int)
    await measure(await plainly(path))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert_type(await count(source), int)
    await tell(get_writable(int), 3)
    await tell(get_writable(str), 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    return source


async def upload(body: AsyncIterable[bytes]) -> int:
    "use workflow"
    return 0


async def strict_upload(body: Readable[bytes]) -> int:
    "use workflow"
    return 0


async def outside(request: Request) -> StreamingResponse:
    """In the application."""
    run = await start(flow, "a")
    assert_type(run.get_readable(), Readable[Any])
    assert_type(run.get_readable(int, namespace="sizes"), Readable[int])
    run.get_readable("sizes")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    assert_type(run, Run[Readable[str]])
    result = await run.return_value
    assert_type(result, Readable[str])
    async for line in result:
        assert_type(line, str)
    async for index, line in result.from_index(-3).indexed():
        assert_type((index, line), tuple[int, str])
    async for chunk in result.chunks():
        assert_type(chunk, StreamChunk[str])
    page = await result.get_chunks(limit=10)
    assert_type(page, StreamPage[str])
    assert_type(page.chunks[0].value, str)
    assert_type(run.readable, Readable[Any])
    await start(upload, request.stream())
    await start(upload, lines("x"))  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    await start(strict_upload, Readable.of(request.stream()))
    sse_response(result, request)
    sse_response(get_run("wrun_1"), request)
    return StreamingResponse(result)

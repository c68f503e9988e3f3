"""Streams: default and named, as results, between runs; and a request as a step."""

from __future__ import annotations

from collections.abc import AsyncIterator

from workflow import Readable, Writable, fetch, get_writable
from workflow.api import start


async def write(out: Writable[str], *values: str) -> None:
    "use step"
    for value in values:
        await out.write(value)


async def write_and_close(out: Writable[str], *values: str) -> None:
    "use step"
    for value in values:
        await out.write(value)
    await out.close()


async def write_inside(*values: str) -> None:
    "use step"
    out = get_writable(str, namespace="inside")
    for value in values:
        await out.write(value)


async def numbers(count: int) -> AsyncIterator[str]:
    """A chunk for each number."""
    for n in range(count):
        yield f"chunk {n}\n"


async def produce(count: int) -> Readable[str]:
    "use step"
    return Readable.of(numbers(count))


async def start_writer(out: Writable[str]) -> str:
    "use step"
    run = await start(child_writes, out, "from a child of a step")
    await run.result("20s")
    return run.run_id


async def child_writes(out: Writable[str], text: str) -> None:
    "use workflow"
    await write(out, text)


async def readable_stream() -> Readable[str]:
    "use workflow"
    return await produce(10)


async def output_stream() -> None:
    "use workflow"
    await write(get_writable(str), "one ", "two ", "three")
    await write_and_close(get_writable(str, namespace="named"), "a", "b")


async def output_stream_inside_step() -> None:
    "use workflow"
    await write_inside("from ", "inside")


async def utf8_stream() -> None:
    "use workflow"
    await write(get_writable(str), "é", "ß漢", "🎈")


async def many_chunks(count: int) -> None:
    "use workflow"
    await write(get_writable(str), *[str(n) for n in range(count)])


async def nothing() -> None:
    "use workflow"


async def forwarded_from_workflow() -> None:
    "use workflow"
    child = await start(child_writes, get_writable(str), "from a child of the body")
    await child


async def forwarded_from_step() -> None:
    "use workflow"
    await start_writer(get_writable(str))


async def fetch_workflow(url: str) -> list[str | int]:
    "use workflow"
    answer = await fetch(url, method="POST", json={"a": 1})
    return [answer.status, await answer.text()]


async def large_values(size: int) -> int:
    "use workflow"
    return len(await echo("abc" * size))


async def echo(text: str) -> str:
    "use step"
    return text

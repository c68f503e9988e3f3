"""Workflows with streams, and an application on one of the worlds to run them in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.postgres import new_world
from tests.project import build, loaded
from workflow.engine import Application
from workflow.world.port import World
from workflow.worlds import local, memory

__all__ = ["FLOWS", "WORLDS", "MakeWorld", "maker", "numbers", "serve"]

MakeWorld = Callable[[], World]
Play = Callable[[Application, Any], Awaitable[None]]
WORLDS = ["memory", "local", "postgres"]

FLOWS = """
    import asyncio
    from collections.abc import AsyncIterable, AsyncIterator
    from typing import Any

    from workflow import Readable, Writable, get_writable, sleep
    from workflow.api import start

    go: Any = None      # an event of the test's loop, on which writers wait half way
    tries: list[str] = []

    async def counting(n: int) -> AsyncIterator[int]:
        for i in range(n):
            yield i

    async def halting(n: int) -> AsyncIterator[int]:
        for i in range(n):
            if i == n // 2:
                await go.wait()
            yield i

    async def breaking(n: int) -> AsyncIterator[int]:
        async for i in counting(n):
            yield i
        raise ValueError("the source is gone")

    async def counted(n: int) -> AsyncIterator[int]:
        "use step"
        tries.append("counted")
        return counting(n)

    async def halted(n: int) -> AsyncIterable[int]:
        "use step"
        return halting(n)

    async def broken(n: int) -> Readable[int]:
        "use step"
        tries.append("broken")
        return Readable.of(breaking(n))

    async def wrapped(n: int) -> dict[str, Any]:
        "use step"
        return {"numbers": counting(n), "more": [counting(2)], "n": n}

    async def doubled(numbers: Readable[int]) -> AsyncIterable[int]:
        "use step"
        async def each() -> AsyncIterator[int]:
            async for n in numbers:
                yield 2 * n
        return each()

    async def total(numbers: AsyncIterable[int]) -> int:
        "use step"
        tries.append("total")
        return sum([n async for n in numbers])

    async def first(numbers: AsyncIterable[int]) -> int:
        "use step"
        async for n in numbers:
            go.set()
            return n
        return -1

    async def pipeline(n: int) -> int:
        "use workflow"
        return await total(await doubled(await counted(n)))

    async def result(n: int) -> AsyncIterable[int]:
        "use workflow"
        return await counted(n)

    async def slow_result(n: int) -> dict[str, Any]:
        "use workflow"
        return {"numbers": await halted(n)}

    async def both(n: int) -> list[int]:
        "use workflow"
        numbers = await halted(n)
        one = await first(numbers)          # sets `go`, which the writer waits for
        return [one, await total(numbers), await total(numbers)]

    async def breaks(n: int) -> int:
        "use workflow"
        return await total(await broken(n))

    async def in_data(n: int) -> list[int]:
        "use workflow"
        held = await wrapped(n)
        return [await total(held["numbers"]), await total(held["more"][0]), held["n"]]

    async def iterates(n: int) -> int:
        "use workflow"
        async for each in await counted(n):
            return each
        return 0

    async def passes_generator() -> int:
        "use workflow"
        async def own():
            yield 1
        return await total(own())

    async def upload(numbers: AsyncIterable[int]) -> int:
        "use workflow"
        return await total(numbers)

    async def passes(numbers: AsyncIterable[int]) -> AsyncIterable[int]:
        "use workflow"
        return numbers

    async def both_uploads(numbers: AsyncIterable[int], extra: Any) -> int:
        "use workflow"
        return await total(numbers)

    async def ignores(numbers: AsyncIterable[int]) -> str:
        "use workflow"
        return "not interested"

    async def waits(n: int) -> None:
        "use workflow"
        await halted(n)
        await sleep("1h")

    async def says(out: Writable[str], text: str) -> None:
        "use step"
        await out.write(text)

    async def child(out: Writable[str], name: str) -> str:
        "use workflow"
        await says(out, f"hello from {name}")
        return name

    async def parent() -> str:
        "use workflow"
        out = get_writable(str, namespace="talk")
        await says(out, "first")
        return await (await start(child, out, "the child"))

    async def gives_to_child(n: int) -> int:
        "use workflow"
        numbers = await counted(n)
        return await (await start(upload, numbers))

    async def takes_from_child(n: int) -> int:
        "use workflow"
        return await total(await (await start(result, n)))

    async def drops(n: int) -> str:
        "use workflow"
        await halted(n)
        return "not interested"

    async def writing(out: Writable[str]) -> AsyncIterator[int]:
        yield 1
        await out.write("too late")

    async def writes_late() -> AsyncIterable[int]:
        "use step"
        return writing(get_writable(str))

    async def late() -> AsyncIterable[int]:
        "use workflow"
        return await writes_late()
"""


def maker(name: str, folder: Path) -> MakeWorld:
    """What makes the world of that name."""
    if name == "memory":
        return memory.create
    if name == "postgres":
        return new_world
    return lambda: local.create_local_world(folder / "data")


def serve(make_world: MakeWorld, folder: Path, play: Play, *, worker: bool = True) -> None:
    """Build the flows, start an application on them, and let `play` do the rest."""
    project = build(folder, FLOWS)

    async def main() -> None:
        async with Application(make_world(), project, worker=worker, grace=0.2) as application:
            flows = loaded(folder)
            flows.go = asyncio.Event()
            flows.tries.clear()
            await play(application, flows)

    asyncio.run(main())


async def numbers(n: int) -> AsyncIterator[int]:
    for i in range(n):
        yield i

"""Runs that are cancelled, and runs that start others."""

from __future__ import annotations

import asyncio

from workflow import create_hook, sleep
from workflow.api import get_run, resume_hook, start

from .control import add_ten


async def add(a: int, b: int) -> int:
    "use step"
    return a + b


async def begin(n: int) -> list[str | int]:
    "use step"
    run = await start(add_ten, n)
    return [run.run_id, await run.result("20s")]


async def tell(token: str, payload: str) -> None:
    "use step"
    await resume_hook(token, payload)


async def stop(run_id: str) -> str:
    "use step"
    run = get_run(run_id)
    await run.cancel("by its parent")
    return await run.status


async def long_sleep() -> None:
    "use workflow"
    await sleep("30 days")


async def spawn_from_step(n: int) -> list[str | int]:
    "use workflow"
    return await begin(n)


async def reports(token: str, text: str) -> str:
    "use workflow"
    await tell(token, text)
    return "reported"


async def start_inside(token: str) -> list[str]:
    "use workflow"
    hook = create_hook(token=token)
    child = await start(reports, token, "from the child")
    return [await hook, await child]


async def fibonacci(n: int) -> int:
    "use workflow"
    if n < 2:
        return n
    first, second = await start(fibonacci, n - 1), await start(fibonacci, n - 2)
    return await add(*await asyncio.gather(first, second))

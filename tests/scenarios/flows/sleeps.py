"""Waiting for time: alone, at once, in loops, against steps and hooks."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from workflow import create_hook, sleep


async def add(a: int, b: int) -> int:
    "use step"
    return a + b


async def never(name: str) -> str:
    "use step"
    await asyncio.Event().wait()
    return name


async def after(name: str) -> str:
    "use step"
    return name


async def sleeping(duration: str) -> float:
    "use workflow"
    began = time.monotonic()
    await sleep(duration)
    return time.monotonic() - began


async def parallel_sleep() -> float:
    "use workflow"
    began = time.monotonic()
    await asyncio.gather(*(sleep("1s") for _ in range(10)))
    return time.monotonic() - began


async def sleep_in_loop() -> list[float]:
    "use workflow"
    began = time.monotonic()
    found = []
    for _ in range(3):
        await sleep("200ms")
        found.append(time.monotonic() - began)
    return found


async def sleep_wins_race() -> str:
    "use workflow"
    step, wait = asyncio.create_task(never("step")), asyncio.create_task(asyncio.sleep(0.1))
    done, pending = await asyncio.wait([step, wait], return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    return "sleep" if wait in done else "step"


async def step_wins_race() -> str:
    "use workflow"
    step, wait = asyncio.create_task(after("step")), asyncio.create_task(asyncio.sleep(86_400))
    done, pending = await asyncio.wait([step, wait], return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    return "step" if step in done else "sleep"


async def sleep_with_sequential_steps() -> list[int]:
    "use workflow"
    pending = asyncio.create_task(asyncio.sleep(0.3))
    found = [await add(n, n) for n in range(3)]
    await pending
    return found


async def hook_with_sleep(token: str) -> list[Any]:
    "use workflow"
    pending = asyncio.create_task(asyncio.sleep(86_400))
    found: list[Any] = []
    async with create_hook(token=token) as hook:
        async for payload in hook:
            found.append(await after(payload))
            if len(found) == 3:
                break
    pending.cancel()
    return found


async def hook_with_sleep_final_step(token: str) -> list[Any]:
    "use workflow"
    pending = asyncio.create_task(asyncio.sleep(86_400))
    found: list[Any] = []
    async with create_hook(token=token) as hook:
        async for payload in hook:
            found.append(payload)
            if payload == "last":
                found.append(await after("final step"))
                break
    pending.cancel()
    return found

"""The workloads: steps that do nothing, so that what is measured is ours."""

from __future__ import annotations

import asyncio

from workflow import sleep


async def nothing(n: int) -> int:
    """A no-op step."""
    "use step"
    return n


async def sequence(length: int) -> int:
    """`length` steps, one after the other."""
    "use workflow"
    total = 0
    for n in range(length):
        total += await nothing(n)
    return total


async def fan_out(width: int) -> int:
    """`width` steps at once."""
    "use workflow"
    return sum(await asyncio.gather(*[nothing(n) for n in range(width)]))


async def sleeper(seconds: float) -> None:
    """One sleep and nothing else."""
    "use workflow"
    await sleep(seconds)

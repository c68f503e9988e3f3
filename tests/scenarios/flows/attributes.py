"""Attributes of runs: from the start, from the body, from steps."""

from __future__ import annotations

import asyncio

from workflow import set_attributes, sleep


async def tag(**attributes: str | None) -> None:
    "use step"
    await set_attributes(attributes)


async def merge() -> None:
    "use workflow"
    await set_attributes({"stage": "one", "kept": "yes"})
    await set_attributes({"stage": "two"})
    await set_attributes({"kept": None, "last": "three"})


async def in_step() -> None:
    "use workflow"
    await tag(stage="from a step")


async def parallel() -> None:
    "use workflow"
    await asyncio.gather(*(set_attributes({f"key{n}": str(n)}) for n in range(5)))
    await asyncio.gather(*(tag(**{f"step{n}": str(n)}) for n in range(5)))


async def fails() -> None:
    "use workflow"
    await set_attributes({"stage": "before the end"})
    await sleep("1ms")
    raise ValueError("after the attributes")


async def messages() -> list[str]:
    "use workflow"
    found = []
    many = {f"k{n}": "" for n in range(65)}
    for attributes in ({"": "a"}, {"a": 1}, {"a": "x" * 257}, many, {"$mine": "x"}):
        try:
            await set_attributes(attributes)  # type: ignore[arg-type]
        except (TypeError, ValueError) as error:
            found.append(f"{type(error).__name__}: {error}")
    return found

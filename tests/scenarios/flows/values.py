"""Functions, classes and their instances as values between bodies, steps and runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from workflow.api import get_run, start

from .money import Account, Money


@dataclass
class Basket:
    """Its methods are steps that take it as data."""

    items: list[str]

    async def add(self, item: str) -> Basket:
        "use step"
        return Basket([*self.items, item])

    @classmethod
    async def named(cls, *items: str) -> Basket:
        "use step"
        return cls(list(items))

    @staticmethod
    async def size(items: list[str]) -> int:
        "use step"
        return len(items)

    @staticmethod
    async def twice_the_size(items: list[str]) -> int:
        "use step"
        return 2 * await Basket.size(items)

    @staticmethod
    async def fill(count: int) -> list[Any]:
        "use workflow"
        basket = await Basket.named("first")
        for n in range(count):
            basket = await basket.add(f"item {n}")
        return [basket.items, await Basket.size(basket.items), await Account.open("ada")]


async def double(n: int) -> int:
    "use step"
    return 2 * n


async def apply(step: Callable[[int], Awaitable[int]], n: int) -> int:
    "use step"
    return await step(n)


async def step_function_passing() -> int:
    "use workflow"
    return await apply(double, 21)


async def step_function_passing_with_closure(factor: int) -> int:
    "use workflow"
    offset = 3

    async def scale(n: int) -> int:
        "use step"
        return factor * n + offset

    return await apply(scale, 5)


async def closure_variable(names: list[str]) -> list[str]:
    "use workflow"
    greeting = "hello"
    found = []
    for name in names:

        async def greet(mark: str) -> str:
            "use step"
            return f"{greeting} {name}{mark}"  # noqa: B023 - what is tested

        found.append(await greet("!"))
    return found


async def takes_a_step(step: Callable[[int], Awaitable[int]], n: int) -> int:
    "use workflow"
    return await step(n)


async def starts_with_a_step() -> int:
    "use step"
    run = await start(takes_a_step, double, 4)
    return await run.result("20s")


async def step_as_argument() -> int:
    "use workflow"
    return await starts_with_a_step()


async def sibling_static_steps() -> int:
    "use workflow"
    return await Basket.twice_the_size(["a", "b"])


async def grow(money: Money, by: int) -> Money:
    "use step"
    return Money(money.cents + by, money.currency)


async def custom_serialization(cents: int) -> list[Any]:
    "use workflow"
    before = Money(cents, "EUR")
    after = await grow(before, 50)
    return [before.cents, after.cents, after.currency, type(after).__name__]


async def begin(n: int) -> str:
    "use step"
    return (await start(takes_a_step, double, n)).run_id


async def wait_for(run_id: str) -> int:
    "use step"
    return await get_run(run_id, takes_a_step).result("20s")


async def run_by_id() -> int:
    "use workflow"
    return await wait_for(await begin(8))


async def gathered() -> list[int]:
    "use workflow"
    return list(await asyncio.gather(*(apply(double, n) for n in range(3))))

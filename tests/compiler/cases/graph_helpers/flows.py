"""Helpers, recursion, tables of steps, step references."""

from collections.abc import Awaitable, Callable

from tools import TOOLS, Agent, retry


async def charge(order: str) -> int:
    "use step"
    return 1


async def refund(order: str) -> int:
    "use step"
    return 1


class Mail:
    """Sends mail."""

    @staticmethod
    async def send(to: str) -> None:
        "use step"


pay = charge


async def twice(order: str) -> int:
    """Called from two places, drawn in both."""
    await charge(order)
    if order == "none":
        return 0
    return await charge(order)


async def walk(depth: int) -> int:
    """Calls itself."""
    if depth == 0:
        return await charge("leaf")
    return await walk(depth - 1) + await walk(depth - 2)


def pure(value: int) -> int:
    """Nothing the graph shows."""
    for _ in range(3):
        value += 1
    return value


async def main(order: str, tool: str) -> int:
    """Calls of every kind."""
    "use workflow"

    async def undo() -> None:
        await refund(order)

    await twice(order)
    total = pure(await twice("none"))
    await walk(3)
    await pay(order)
    await TOOLS[tool](order)
    chosen: Callable[[str], Awaitable[int]] = charge if total else refund
    await chosen(order)
    await retry(charge, order)
    await Agent(steps=[refund]).run(order)
    for action in (charge, refund):
        await action(order)
    await undo()
    await Mail.send("boss")
    return total

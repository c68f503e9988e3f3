import asyncio
from asyncio import to_thread
from datetime import datetme


async def ship(order: object, test: object) -> None:
    "use step"


async def other() -> None:
    "use workflow"


async def main(order: object) -> None:
    "use workflow"
    ship(order, 1)
    await ship(order, lambda o: o)
    await ship(order, test=(o for o in "ab"))
    await other()
    await asyncio.gater(to_thread(print), datetme.now())

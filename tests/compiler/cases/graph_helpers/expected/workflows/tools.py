

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from workflow import sleep

Action = Callable[[str], Awaitable[object]]


async def search(query: str) -> str:
    """Search."""
    return await _wfc_step("step//tools.py//search", {"query": query})



async def weather(place: str) -> str:
    """Look the weather up."""
    return await _wfc_step("step//tools.py//weather", {"place": place})



TOOLS: dict[str, Action] = {"search": search, "weather": weather}


async def retry(action: Action, order: str) -> object:
    """Call `action` until it works."""
    while True:
        try:
            return await action(order)
        except ValueError:
            await sleep("10s")


@dataclass(frozen=True)
class Agent:
    """Decides what to do."""

    steps: list[Action]

    async def run(self, order: str) -> None:
        """Search, then whatever it has."""
        await self.look(order)
        for action in self.steps:
            await action(order)

    async def look(self, order: str) -> None:
        """Search."""
        await search(order)
from workflow.abi.flow_v1 import step as _wfc_step

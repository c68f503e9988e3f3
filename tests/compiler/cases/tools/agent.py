from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import requests


async def get_weather(city: str) -> str:
    """Tell the weather."""
    "use step"
    return requests.get(f"https://weather.example/{city}").text


def add(a: int, b: int) -> int:
    "use step"
    return a + b


def unused(a: int) -> int:
    "use step"
    return a


TOOLS = {"weather": get_weather, "add": add}


@dataclass
class Tool:
    description: str
    execute: Callable[..., Awaitable[object]]
    options: dict[str, object] = field(default_factory=dict)


SEARCH = Tool(description="weather", execute=get_weather)


async def retry(step: Callable[..., Awaitable[object]], times: int) -> object:
    """Gets a step as an argument."""
    "use step"
    return await step(times)


async def launch(flow: Callable[..., Awaitable[object]]) -> None:
    """Gets a workflow as an argument, and starts it."""
    "use step"
    from workflow.api import start

    await start(flow, "again")


async def child(city: str) -> None:
    "use workflow"
    await get_weather(city)


async def agent(calls: list[tuple[str, dict]]) -> list[object]:
    "use workflow"
    answers = [await TOOLS[name](**arguments) for name, arguments in calls]
    answers.append(await SEARCH.execute("Rome"))
    answers.append(await partial(add, 1)(b=2))
    answers.append(await retry(partial(add, b=2), 3))
    await launch(child)
    return answers

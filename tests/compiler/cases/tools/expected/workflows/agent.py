from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial




async def get_weather(city: str) -> str:
    """Tell the weather."""
    return await _wfc_step("step//agent.py//get_weather", {"city": city})



async def add(a: int, b: int) -> int:
    return await _wfc_step("step//agent.py//add", {"a": a, "b": b})








TOOLS = {"weather": get_weather, "add": add}


@dataclass
class Tool:
    description: str
    execute: Callable[..., Awaitable[object]]
    options: dict[str, object] = field(default_factory=dict)


SEARCH = Tool(description="weather", execute=get_weather)


async def retry(step: Callable[..., Awaitable[object]], times: int) -> object:
    """Gets a step as an argument."""
    return await _wfc_step("step//agent.py//retry", {"step": step, "times": times})



async def launch(flow: Callable[..., Awaitable[object]]) -> None:
    """Gets a workflow as an argument, and starts it."""
    return await _wfc_step("step//agent.py//launch", {"flow": flow})





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
from workflow.abi.flow_v1 import step as _wfc_step

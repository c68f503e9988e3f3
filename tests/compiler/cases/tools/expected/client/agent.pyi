# Made by wfc from agent.py; do not edit.
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

@dataclass
class Tool:
    description: str
    execute: Callable[..., Awaitable[object]]
    options: dict[str, object] = field(default_factory=dict)

async def child(city: str) -> None:
    ...

async def agent(calls: list[tuple[str, dict]]) -> list[object]:
    ...

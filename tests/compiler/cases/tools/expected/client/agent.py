# Made by wfc from agent.py; do not edit.
from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from workflow.abi import client_v1 as _wfc


@dataclass
class Tool:
    description: str
    execute: Callable[..., Awaitable[object]]
    options: dict[str, object] = field(default_factory=dict)


@_wfc.workflow("workflow//agent.py//child")
async def child(city: str) -> None:
    ...


@_wfc.workflow("workflow//agent.py//agent")
async def agent(calls: list[tuple[str, dict]]) -> list[object]:
    ...


_wfc.register_class("class//agent.py//Tool", __name__, "Tool")

"""Functions of the same names as in control, and a step that no workflow of that file calls."""

from __future__ import annotations

from .control import after


async def add(a: int, b: int) -> int:
    "use step"
    return a - b


async def add_ten(n: int) -> int:
    "use workflow"
    return await add(n, 10)


async def imported_step_only() -> str:
    "use workflow"
    return await after("imported")

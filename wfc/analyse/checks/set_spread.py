"""Several calls are started in the order of a set.

`asyncio.gather(*calls)` and `asyncio.as_completed(calls)` start what they get in the order in which
they get it. A set of coroutines is in the order of their addresses in memory, which is another one
each time, so a replay would ask for the steps in another order and the run would be parked.

Make a list: `[ship(order) for order in orders]` instead of `{ship(order) for order in orders}`.
Sets of tasks that have been started, as `asyncio.wait` gives and takes them, are fine.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.checks.set_order import lowered, unordered
from wfc.analyse.types import types_of
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import External, Program

RULE = Rule(
    code="WF404",
    name="set-spread-to-concurrency",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
import asyncio


async def ship(order: str) -> None:
    "use step"


async def ship_all(orders: list[str]) -> None:
    "use workflow"
    await asyncio.gather(*{ship(order) for order in orders})
""",
    good="""\
import asyncio


async def ship(order: str) -> None:
    "use step"


async def ship_all(orders: list[str]) -> None:
    "use workflow"
    await asyncio.gather(*[ship(order) for order in orders])
""",
)

# `asyncio.wait` takes nothing but what has been started already.
_STARTERS = ("asyncio.gather", "asyncio.as_completed")


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each set that is handed to what starts its items."""
    types = types_of(program)
    for module, node in program.workflow_code():
        match node:
            case ast.Call(func=func, args=args):
                match types.target(module, func):
                    case External() as outside if str(outside) in _STARTERS:
                        name = str(outside)
                    case _:
                        continue
            case _:
                continue
        given = args if name == "asyncio.gather" else args[:1]
        for value in given:
            taken = value.value if isinstance(value, ast.Starred) else value
            if found := unordered(program, module, taken):
                yield lowered(
                    RULE.at(
                        module,
                        value,
                        f"This is a set, and {name} starts what is in it in an order that is "
                        "another one in another process.",
                        "Make it a list.",
                    ),
                    found,
                )

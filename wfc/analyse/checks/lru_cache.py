"""A cached coroutine.

`functools.cache`, `lru_cache` and `cached_property` keep what a function returns and give it out
again. Calling an async function, or a step, returns a coroutine, and a coroutine can be awaited
once. The second caller gets the same one and fails with "cannot reuse already awaited coroutine".

Keep the result instead of the coroutine: in a variable, or in a dictionary that is asked first.
Caches on plain functions that compute are fine: module globals are new in every run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.functions import functions, is_step_call
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Function, Program

RULE = Rule(
    code="WF603",
    name="lru-cache",
    severity=Severity.WARNING,
    page=__doc__,
    bad="""\
import functools


async def fetch_rate(currency: str) -> float:
    "use step"
    return 1.0


@functools.cache
async def rate(currency: str) -> float:
    return await fetch_rate(currency)


async def total(prices: dict[str, float]) -> float:
    "use workflow"
    return sum([price * await rate(currency) for currency, price in prices.items()])
""",
    good="""\
async def fetch_rate(currency: str) -> float:
    "use step"
    return 1.0


async def total(prices: dict[str, float]) -> float:
    "use workflow"
    rates = {currency: await fetch_rate(currency) for currency in prices}
    return sum(price * rates[currency] for currency, price in prices.items())
""",
)

_CACHES = ("functools.cache", "functools.lru_cache", "functools.cached_property")


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each cache around a function that returns a coroutine."""
    marked = {m.node for m in program.marked}  # of these WF014 speaks
    for module, function, nodes in functions(program):
        if function in marked:
            continue
        for decorator in function.decorator_list:
            made = decorator.func if isinstance(decorator, ast.Call) else decorator
            target = program.reach.meaning.get(made)
            if str(target) in _CACHES and _returns_coroutine(program, function, nodes):
                yield RULE.at(
                    module,
                    decorator,
                    f"{target} keeps the coroutine that {function.name} returns, and a coroutine "
                    "can be awaited only once: the second call fails.",
                    "Keep the awaited result in a variable or a dictionary instead.",
                )


def _returns_coroutine(program: Program, function: Function, nodes: tuple[ast.AST, ...]) -> bool:
    if isinstance(function, ast.AsyncFunctionDef):
        return not any(isinstance(node, ast.Yield) for node in nodes)
    return any(
        isinstance(node, ast.Return)
        and node.value is not None
        and is_step_call(program, node.value)
        for node in nodes
    )

"""Workflow code starts or replaces an event loop.

A workflow already runs on an event loop: one that brings recorded results in the recorded order, so
that a replay is exact. A second one would know nothing of the log.

Just await the coroutine.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF503",
    name="foreign-loop",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import asyncio


async def total(prices: list[int]) -> int:
    return sum(prices)


async def order(prices: list[int]) -> int:
    "use workflow"
    return asyncio.run(total(prices))
""",
    good="""\
async def total(prices: list[int]) -> int:
    return sum(prices)


async def order(prices: list[int]) -> int:
    "use workflow"
    return await total(prices)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)

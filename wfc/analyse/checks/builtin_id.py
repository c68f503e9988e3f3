"""Workflow code uses `id()`.

The id of an object is its address in memory. When a run goes on later, its code runs again from the
first line in another process, and the same objects have other addresses. What is computed from an
address, or kept under it, comes out differently then.

Use a value of your own as the key, such as a number or a name. To see whether two names stand for
one object, write `a is b`.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF206",
    name="builtin-id",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
from dataclasses import dataclass


@dataclass
class Order:
    number: int


async def count(orders: list[Order]) -> int:
    "use workflow"
    return len({id(order) for order in orders})
""",
    good="""\
from dataclasses import dataclass


@dataclass
class Order:
    number: int


async def count(orders: list[Order]) -> int:
    "use workflow"
    return len({order.number for order in orders})
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each use of `id`, except as a sort key, which WF408 is about."""
    yield from banned(program, RULE)

"""Workflow code sorts by `id`.

That is an address in memory. Sorting by it looks like an order but is another one in each process,
so a replay would go on differently.

Sort by a value that the items have: `key=lambda order: order.number`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import sort_keys
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF408",
    name="sort-by-identity",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
async def first(orders: list[str]) -> str:
    "use workflow"
    return sorted(orders, key=id)[0]
""",
    good="""\
async def first(orders: list[str]) -> str:
    "use workflow"
    return sorted(orders, key=str.casefold)[0]
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each `key=id`."""
    for key, (module, call) in sort_keys(program).items():
        yield RULE.at(
            module,
            key,
            f"{ast.unparse(call.func)} goes by {ast.unparse(key)}(), which gives other numbers in "
            "another process.",
            "Go by a value that the items have: `key=lambda item: item.name`.",
        )

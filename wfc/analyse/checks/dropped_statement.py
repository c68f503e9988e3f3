"""A top-level statement that changes something workflow code uses, and cannot run there.

Of a module, workflow code gets the definitions it uses, and the statements that change what they
hold: entries of a table, decorators that register functions, a call that fills a list. A statement
that needs something no workflow may use, such as the environment or a database, is left out, and
so is a decorator that makes something else of a step. What it would have put into a table is then
missing in the workflow.

Put the value into the definition, and read what comes from outside in a step.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Lost, Program

RULE = Rule(
    code="WF608",
    name="dropped-statement",
    severity=Severity.WARNING,
    page=__doc__,
    bad="""\
import os

PRICES = {"basic": 900}
PRICES["pro"] = int(os.environ["PRO_PRICE"])


async def price(plan: str) -> int:
    "use workflow"
    return PRICES[plan]
""",
    good="""\
import os

PRICES = {"basic": 900}


async def pro_price() -> int:
    "use step"
    return int(os.environ["PRO_PRICE"])


async def price(plan: str) -> int:
    "use workflow"
    return await pro_price() if plan == "pro" else PRICES[plan]
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each left-out place that changes what workflow code has."""
    seen: set[tuple[str, int, str]] = set()
    for lost in program.reach.lost:
        line: int = getattr(lost.node, "lineno", 1)
        place = (lost.module.name, line, lost.key[1])
        if place not in seen:
            seen.add(place)
            yield _finding(program, lost)


def _finding(program: Program, lost: Lost) -> Diagnostic:
    name = lost.key[1]
    if lost.decorator is None or not lost.on:
        return RULE.at(
            lost.module,
            lost.node,
            f"This line changes {name}, which workflow code uses, but workflow code cannot run "
            f"it: {lost.why}. There {name} stays as it was.",
            f"Put the value into the definition of {name}, and read what comes from outside in a "
            "step.",
        )
    return RULE.at(
        lost.module,
        lost.node,
        f"This decorator changes {name}, which workflow code uses, but workflow code cannot run "
        f"it: {lost.why}. There {name} stays as it was.",
        f"List {lost.on} in {name} itself: `{name} = {_listed(program, lost)}`.",
    )


def _listed(program: Program, lost: Lost) -> str:
    """The definition that needs no decorator."""
    home = program.modules[lost.key[0]]
    for index in home.bindings.get(lost.key[1], ()):
        match home.tree.body[index]:
            case ast.Assign(value=ast.List()) | ast.AnnAssign(value=ast.List()):
                return f"[{lost.on}]"
    return f'{{"{lost.on}": {lost.on}}}'

"""A class that is made by a call of `type`.

`type(name, bases, members)` makes a class at run time out of values. What is in it has not been
seen when the workflow was built and checked.

Write a `class` statement. `type(x)` with one argument, the class of a value, is fine.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.types import types_of
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import External, Program

RULE = Rule(
    code="WF808",
    name="type-three-arguments",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
async def price() -> int:
    "use workflow"
    plan = type("Plan", (), {"cents": 900})
    return plan.cents
""",
    good="""\
class Plan:
    cents = 900


async def price() -> int:
    "use workflow"
    return Plan.cents
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each call of `type` that makes a class."""
    types = types_of(program)
    for module, node in program.workflow_code():
        match node:
            case ast.Call(func=func, args=[_, _, _]) if types.target(module, func) == External(
                "builtins", "type"
            ):
                yield RULE.at(
                    module,
                    node,
                    "type() with three arguments makes a class that nobody has seen when the "
                    "workflow was checked; here it tells the class of a value and nothing else.",
                    "Write a class statement.",
                )

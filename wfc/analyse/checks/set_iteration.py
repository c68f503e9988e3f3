"""Durable calls in the order of a set.

A set has no order of its own: Python goes through it in the order of hashes, and the hashes of
text, tuples, enum members and most other values differ between processes. When a workflow calls
steps in that order, a replay in another process asks for them in another order than the log has
them, and the run stops until somebody looks after it. Sets of numbers and of tasks are fine.

Go through `sorted(...)` of it, or keep a list or a dictionary.

It is a warning where it is not certain: the set comes from outside, the type of its items is not
known, or the order only decides what a list is filled with or which item is found first.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.checks.set_order import is_durable, lowered, order_matters, unordered
from wfc.diagnostics import Diagnostic, Rule, Severity, replacing
from wfc.model import Module, Program

RULE = Rule(
    code="WF401",
    name="set-iteration",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
async def notify(team: str) -> None:
    "use step"


async def announce() -> None:
    "use workflow"
    for team in {"red", "green"}:
        await notify(team)
""",
    good="""\
async def notify(team: str) -> None:
    "use step"


async def announce() -> None:
    "use workflow"
    for team in sorted({"red", "green"}):
        await notify(team)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each loop or comprehension over a set whose order is handed on."""
    for module, node in program.workflow_code():
        match node:
            case ast.For(iter=iterated, body=body):
                durable = any(is_durable(program, statement) for statement in body)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                iterated = node.generators[0].iter
                durable = is_durable(program, node)
                if not durable:
                    continue  # a list made of a set is what WF403 is about
            case _:
                continue
        if _is_view_operation(iterated) or not (found := unordered(program, module, iterated)):
            continue
        if durable:
            yield _finding(module, iterated, found, "make these calls in another order")
        elif order_matters(program, module, iterated):
            yield _finding(module, iterated, Severity.WARNING, "hand on another order")


def _is_view_operation(node: ast.expr) -> bool:
    """Whether it is what WF407 is about."""
    match node:
        case ast.BinOp(left=ast.Call(func=ast.Attribute(attr="keys" | "items"))):
            return True
    return False


def _finding(module: Module, iterated: ast.expr, severity: Severity, then: str) -> Diagnostic:
    instead = f"sorted({ast.unparse(iterated)})"
    found = RULE.at(
        module,
        iterated,
        "This is a set, and its order differs from one process to the next, so a replay would "
        f"{then}.",
        f"Write `{instead}`, or keep a list.",
        edits=replacing(module, iterated, instead) if severity is Severity.ERROR else (),
    )
    return lowered(found, severity)

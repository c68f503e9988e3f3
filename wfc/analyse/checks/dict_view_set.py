"""Durable calls in the order of a set that was made of dictionary views.

A dictionary keeps the order in which it was filled, and so do `keys()` and `items()`. What `&`,
`|`, `-` and `^` make of them is a set, in the order of hashes, which differ between processes. When
a workflow calls steps in that order, a replay asks for them in another one, and the run is parked.

Go through one dictionary and ask the other: `for key in a: if key in b: ...`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.checks.set_order import is_durable, lowered, order_matters, unordered
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF407",
    name="dict-view-set-operation",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
async def notify(team: str) -> None:
    "use step"


async def announce(old: dict[str, int], new: dict[str, int]) -> None:
    "use workflow"
    for team in old.keys() & new.keys():
        await notify(team)
""",
    good="""\
async def notify(team: str) -> None:
    "use step"


async def announce(old: dict[str, int], new: dict[str, int]) -> None:
    "use workflow"
    for team in old:
        if team in new:
            await notify(team)
""",
)

_SIGNS: dict[type[ast.operator], str] = {
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.Sub: "-",
}


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each loop over such a set whose order is handed on."""
    for module, node in program.workflow_code():
        match node:
            case ast.For(iter=iterated, body=body):
                durable = any(is_durable(program, statement) for statement in body)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                iterated = node.generators[0].iter
                durable = is_durable(program, node)
                if not durable:
                    continue
            case _:
                continue
        match iterated:
            case ast.BinOp(left=ast.Call(func=ast.Attribute(attr="keys" | "items")), op=op):
                found = unordered(program, module, iterated)
            case _:
                continue
        if found is None or not (durable or order_matters(program, module, iterated)):
            continue
        sign = _SIGNS[type(op)]
        yield lowered(
            RULE.at(
                module,
                iterated,
                f"`{sign}` makes a set of dictionary views, and its order differs from one process "
                "to the next.",
                f"Write `sorted({ast.unparse(iterated)})`, or go through one dictionary and ask "
                "the other.",
            ),
            found if durable else Severity.WARNING,
        )

"""Workflow code makes a list or a text of a set.

A set has no order of its own: Python goes through it in the order of hashes, which for text and
most other values differ between processes. The list that comes out is another one at each replay.

Write `sorted(...)` instead of `list(...)`. Where the order does not matter afterwards, as in
`len(list(s))` or when the list is sorted later, nothing is reported.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.checks.set_order import is_durable, lowered, order_matters, unordered
from wfc.analyse.types import types_of
from wfc.diagnostics import Diagnostic, Edit, Rule, Severity, replacing
from wfc.model import External, Module, Program

RULE = Rule(
    code="WF403",
    name="set-to-sequence",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
async def notify(teams: list[str]) -> None:
    "use step"


async def announce() -> None:
    "use workflow"
    teams = {"red", "green"}
    await notify(list(teams))
""",
    good="""\
async def notify(teams: list[str]) -> None:
    "use step"


async def announce() -> None:
    "use workflow"
    teams = {"red", "green"}
    await notify(sorted(teams))
""",
)

_MAKERS = frozenset(
    {
        *("builtins.list", "builtins.tuple", "builtins.enumerate", "builtins.zip", "builtins.map"),
        *("builtins.filter", "builtins.reversed", "collections.deque", "itertools.chain"),
        *("itertools.islice", "itertools.pairwise", "itertools.batched", "functools.reduce"),
        *("random.choice", "random.sample", "random.choices", "random.shuffle"),
    }
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each sequence made of a set, where its order is used."""
    for module, node in program.workflow_code():
        if not isinstance(node, ast.expr):
            continue
        for taken in _taken(program, module, node):
            found = unordered(program, module, taken)
            if found is not None and order_matters(program, module, node):
                instead = f"sorted({ast.unparse(taken)})"
                yield lowered(
                    RULE.at(
                        module,
                        node,
                        f"{ast.unparse(taken)} is a set, and its order differs from one process to "
                        "the next; so does what is made of it here.",
                        f"Use `{instead}`.",
                        edits=_edits(module, node, taken, instead, found),
                    ),
                    found,
                )


def _taken(program: Program, module: Module, node: ast.expr) -> Iterator[ast.expr]:
    """What an expression goes through to make a sequence."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str()), attr="join"), args=[one]):
            yield one
        case ast.Call(func=func, args=args):
            match types_of(program).target(module, func):
                case External() as outside if str(outside) in _MAKERS:
                    yield from (a.value if isinstance(a, ast.Starred) else a for a in args)
        case ast.List(elts=elements, ctx=ast.Load()) | ast.Tuple(elts=elements, ctx=ast.Load()):
            yield from (e.value for e in elements if isinstance(e, ast.Starred))
        case ast.ListComp(generators=[first, *_]) | ast.GeneratorExp(generators=[first, *_]):
            if not is_durable(program, node):
                yield first.iter


def _edits(
    module: Module, node: ast.expr, taken: ast.expr, instead: str, found: Severity
) -> tuple[Edit, ...]:
    if found is not Severity.ERROR:
        return ()
    match node:
        case ast.Call(func=ast.Name(id="list"), args=[_], keywords=[]):
            return replacing(module, node, instead)
    return replacing(module, taken, instead)

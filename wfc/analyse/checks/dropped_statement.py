"""A top-level statement that changes something workflow code uses, and cannot run there.

Of a module, workflow code gets the definitions it uses, and the statements that change what they
hold: entries of a table, decorators that register functions, a call that fills a list. A statement
that needs something no workflow may use, such as the environment or a database, is left out, and
so is a decorator that makes something else of a step. What it would have put into a table is then
missing in the workflow.

So is a line that sets precision or rounding of decimals for the whole process, such as
`decimal.getcontext().rounding = ROUND_HALF_UP`: workflow code computes with the context that Python
starts with, wherever it runs. Write `with decimal.localcontext(rounding=ROUND_HALF_UP):` around the
computation.

Put the value into the definition, and read what comes from outside in a step.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.effect_parts import dotted, is_script
from wfc.analyse.names import Names
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import External, Function, Lost, Module, Program
from wfc.nodes import walk

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


_ELSEWHERE = (Function, ast.ClassDef, ast.Import, ast.ImportFrom)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each left-out place that changes what workflow code has."""
    seen: set[tuple[str, int, str]] = set()
    for lost in program.reach.lost:
        line: int = getattr(lost.node, "lineno", 1)
        place = (lost.module.name, line, lost.key[1])
        if place not in seen:
            seen.add(place)
            yield _finding(program, lost)
    if any(found.target.module == "decimal" for found in program.reach.references):
        yield from _contexts(program)


def _contexts(program: Program) -> Iterator[Diagnostic]:
    """The lines at the top of modules that set how decimals are computed with."""
    names = Names(program.modules.get, lambda name: False)
    for module in program.bundled:
        kept = program.reach.keep[module.name]
        for index, statement in enumerate(module.tree.body):
            if index in kept or isinstance(statement, _ELSEWHERE) or is_script(statement):
                continue
            for node in walk(statement):
                if isinstance(node, ast.Name | ast.Attribute) and _is_context(names, module, node):
                    yield RULE.at(
                        module,
                        node,
                        "This line sets how the process computes with decimals. Workflow code does "
                        "not see it: there precision and rounding are those that Python starts "
                        "with.",
                        "Write `with decimal.localcontext(...):` around the computation, and set "
                        "precision and rounding there.",
                    )
                    break


def _is_context(names: Names, module: Module, node: ast.Name | ast.Attribute) -> bool:
    root, attrs = dotted(node)
    if root is None:
        return False
    match names.follow(names.of(module, root.id, attrs)):
        case External(module="decimal", member="DefaultContext" | "getcontext" | "setcontext"):
            return True
    return False


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

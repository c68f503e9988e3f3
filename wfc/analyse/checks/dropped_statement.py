"""A top-level statement that changes something workflow code uses, and is left out.

Of a module, workflow code gets the definitions it uses and nothing else: statements that only
have an effect are left out, because they would run again at every replay. What such a statement
puts into a list or a dictionary is then missing in the workflow.

Put it into the definition.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.functions import mutated, own_nodes
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Module, Program

RULE = Rule(
    code="WF608",
    name="dropped-statement",
    severity=Severity.WARNING,
    page=__doc__,
    bad="""\
PRICES = {"basic": 900}
PRICES["pro"] = 2900


async def price(plan: str) -> int:
    "use workflow"
    return PRICES[plan]
""",
    good="""\
PRICES = {"basic": 900, "pro": 2900}


async def price(plan: str) -> int:
    "use workflow"
    return PRICES[plan]
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each left-out statement about a value that workflow code has."""
    for module in program.bundled:
        kept = program.reach.keep[module.name]
        for index, statement in enumerate(module.tree.body):
            if index in kept or _is_script(statement):
                continue
            found = {
                name: node
                for node in own_nodes([statement])
                if isinstance(node, ast.stmt)
                and (name := _changed(node)) is not None
                and _is_value(program, module, name)
            }
            for name, node in found.items():
                yield RULE.at(
                    module,
                    node,
                    f"Workflow code uses {name}, but not this line: statements that only have an "
                    "effect are left out of it.",
                    f"Put it into the definition of {name}.",
                )


def _is_script(statement: ast.stmt) -> bool:
    """Whether a statement is `if __name__ == "__main__":`, which is not for importers."""
    return (
        isinstance(statement, ast.If)
        and isinstance(statement.test, ast.Compare)
        and isinstance(statement.test.left, ast.Name)
        and statement.test.left.id == "__name__"
    )


def _changed(statement: ast.stmt) -> str | None:
    """The name whose value a statement changes in place, or may with a method of its own."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))):
            return name
    root = mutated(statement)
    return root.id if root is not None else None


def _is_value(program: Program, module: Module, name: str) -> bool:
    if (module.name, name) not in program.reach.parents:
        return False
    values = ast.Assign | ast.AnnAssign
    return all(isinstance(module.tree.body[i], values) for i in module.bindings.get(name, ()))

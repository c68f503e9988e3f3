"""A name with two underscores in front.

In a class, Python changes such a name into another one (`__total` becomes `_Basket__total`), and
names with underscores on both sides mean something to Python itself. What a name means must be
plain from the text when workflow code is checked, so neither can be used for names of your own.

Write one underscore.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.checks.refused_names import About, about, bound, uses
from wfc.analyse.functions import own_nodes
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Module, Program

RULE = Rule(
    code="WF806",
    name="dunder-name",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
async def total(prices: list[int]) -> int:
    "use workflow"
    __sum = sum(prices)
    return __sum
""",
    good="""\
async def total(prices: list[int]) -> int:
    "use workflow"
    _sum = sum(prices)
    return _sum
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each place where such a name is written."""
    from workflow.sandbox.names import SETTABLE_IN_MODULES

    for what in (About.MANGLED, About.OWN):
        for module, node, name in uses(program, what):
            if name in SETTABLE_IN_MODULES and _is_of_module(module, name):
                continue
            yield _finding(module, node, name)
    in_classes = _in_classes(program)
    for module, node in program.workflow_code():
        for name in bound(node):
            if name in SETTABLE_IN_MODULES and _is_of_module(module, name):
                continue
            if name.startswith("__") and (about(name) is About.MANGLED or node not in in_classes):
                yield _finding(module, node, name)


def _is_of_module(module: Module, name: str) -> bool:
    """Whether the module says something about itself with it, such as `__version__`."""
    return name in module.bindings


def _finding(module: Module, node: ast.AST, name: str) -> Diagnostic:
    if name.endswith("__"):
        why = "names with two underscores on both sides belong to Python itself"
    else:
        why = "Python itself renames such names in classes, so workflow code cannot use them"
    return RULE.at(module, node, f"{name}: {why}.", f"Call it {_renamed(name)}.")


def _renamed(name: str) -> str:
    return "_" + name.strip("_")


def _in_classes(program: Program) -> set[ast.AST]:
    """The definitions and assignments in class bodies, which another rule looks at."""
    found: set[ast.AST] = set()
    for _, node in program.workflow_code():
        if isinstance(node, ast.ClassDef):
            for statement in node.body:
                found.update(own_nodes([statement]))
    return found

"""What decorators make of workflows and steps.

A decorator of a step takes effect where the step runs, so workflow code leaves it out. One of a
workflow runs with the workflow, so it has to be code that a replay can repeat.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from wfc.analyse.externals import refusal
from wfc.analyse.names import Names, ProjectName
from wfc.model import External, Kind, Marked, Module

__all__ = ["foreign", "name_of"]


def name_of(names: Names, module: Module, decorator: ast.expr) -> str:
    """The full name of a decorator that comes from outside the project, such as
    `functools.cache`; builtins go by their own names. Empty for other decorators."""
    named = decorator.func if isinstance(decorator, ast.Call) else decorator
    root, attrs = _dotted(named)
    if root is None:
        return ""
    target = names.follow(names.of(module, root.id, attrs))
    if isinstance(target, External):
        return str(target)
    return root.id if target is None and not attrs else ""


def foreign(
    names: Names, marked: Iterable[Marked], passthrough: frozenset[str]
) -> dict[ast.expr, External]:
    """The decorators of workflows that lead to code which no workflow may run, with what they are.

    `@app.post("/")` counts where `app = FastAPI()` is a name of the project.
    """
    found: dict[ast.expr, External] = {}
    for m in marked:
        for decorator in m.node.decorator_list if m.kind is Kind.WORKFLOW else ():
            outside = _outside(names, m.module, decorator)
            if outside is not None and refusal(outside, passthrough) is not None:
                found[decorator] = outside
    return found


def _outside(names: Names, module: Module, expression: ast.expr) -> External | None:
    """What an expression leads to outside the project: through calls, and through the definition
    of a variable."""
    for _ in range(20):  # variables that are defined by each other end somewhere too
        named = expression
        while isinstance(named, ast.Call):
            named = named.func
        root, attrs = _dotted(named)
        if root is None:
            return None
        target = names.follow(names.of(module, root.id, attrs))
        if isinstance(target, External):
            return target
        home = names.find(target.key[0]) if isinstance(target, ProjectName) else None
        value = _value(home, target.key[1]) if home and isinstance(target, ProjectName) else None
        if home is None or value is None:
            return None
        module, expression = home, value
    return None


def _dotted(node: ast.expr) -> tuple[ast.Name | None, tuple[str, ...]]:
    attrs: list[str] = []
    while isinstance(node, ast.Attribute):
        attrs.append(node.attr)
        node = node.value
    return (node if isinstance(node, ast.Name) else None), tuple(reversed(attrs))


def _value(module: Module, name: str) -> ast.expr | None:
    """What a top-level variable is set to, where that is one statement."""
    places = module.bindings.get(name, ())
    if len(places) != 1:
        return None
    match module.tree.body[places[0]]:
        case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
            return value
    return None

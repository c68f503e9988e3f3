"""A workflow or step that yields.

What a workflow or step returns is recorded once, as one value. A generator has no such value:
calling it runs nothing, and its items are asked for one by one by code that may be gone by then.

Return a list. Or let a step return a stream: yield in an asynchronous function of its own, without
directive, and return what calling it gives. A step can also write to `get_writable()`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.checks.decorator import BECOMES, NOT_MEANT, named
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Function, Program
from wfc.nodes import children

RULE = Rule(
    code="WF004",
    name="generator",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
async def pages():
    "use step"
    yield 1
    yield 2
""",
    good="""\
async def pages():
    "use step"
    return [1, 2]
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each marked function that is a generator."""
    for marked in program.marked:
        if any(d in BECOMES for d in named(program, marked)):
            continue  # the decorator is what matters there
        for node in _own_nodes(marked.node):
            if isinstance(node, ast.Yield | ast.YieldFrom):
                instead = "Return a list. For a stream, yield in a function of its own, and return "
                instead += "its call from a step."
                if marked.sighting.function is None:
                    instead += f"\n{NOT_MEANT}"
                yield RULE.at(
                    marked.module,
                    node,
                    f"The {marked.kind.value} {marked.name} is a generator, and its result is "
                    "recorded as one value.",
                    instead,
                )
                break


def _own_nodes(function: Function) -> Iterator[ast.AST]:
    stack: list[ast.AST] = list(reversed(function.body))
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            stack.extend(reversed(children(node)))

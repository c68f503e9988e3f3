"""A step changes an argument, and nobody sees the change.

What a workflow passes to a step is recorded, and the step gets a copy that is made from the
record. The same holds for the object of a step method, and for the variables that a nested step
takes from the function around it. When it appends to a list or sets a field of such a value as its
last use of it, the change is gone with the step: the value in the workflow stays as it was.

Return the new value, and use what the step returned in the workflow.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.boundary import boundary_of, crossed
from wfc.analyse.captures import written
from wfc.analyse.functions import mutated
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Form, Function, Kind, Marked, Program
from wfc.nodes import walk

RULE = Rule(
    code="WF907",
    name="step-mutates-argument",
    severity=Severity.WARNING,
    page=__doc__,
    bad="""\
async def add_tax(prices: list[float]) -> None:
    "use step"
    prices.append(sum(prices) * 0.2)


async def total(prices: list[float]) -> float:
    "use workflow"
    await add_tax(prices)
    return sum(prices)
""",
    good="""\
async def add_tax(prices: list[float]) -> list[float]:
    "use step"
    return [*prices, sum(prices) * 0.2]


async def total(prices: list[float]) -> float:
    "use workflow"
    prices = await add_tax(prices)
    return sum(prices)
""",
)

_LOOPS = ast.For | ast.AsyncFor | ast.While


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each argument whose last use in a step is to be changed."""
    for marked, name in _copied(program):
        change = _last_change(marked.node, name)
        if change is not None:
            yield RULE.at(
                marked.module,
                change,
                f"The step {marked.name} gets a copy of {name}, so this changes nothing for "
                "the workflow that called it.",
                f"Return the changed {name}, and use what the step returns."
                if name != "self"
                else "Return what changed, and set it on the object in the workflow.",
            )


def _copied(program: Program) -> Iterator[tuple[Marked, str]]:
    """The names in steps whose values are copies: of arguments, the object of a method, and
    variables of the functions around. Only annotations say that an argument is a handle."""
    boundary = boundary_of(program)
    named = set(crossed(program))
    for marked in program.of(Kind.STEP):
        called = marked.form is Form.INSTANCE and marked.key in program.reach.parents
        if marked not in named and not called:
            continue
        spec = marked.node.args
        parameters = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
        if marked.form is Form.CLASS:
            parameters = parameters[1:]  # the class itself, which belongs to the process
        for parameter in parameters:
            annotation = parameter.annotation
            if annotation is None or boundary.holds_data(marked.module, annotation):
                yield marked, parameter.arg
        for name in marked.captured:
            if name not in written(marked.node, marked.captured):
                yield marked, name


def _last_change(function: Function, name: str) -> ast.stmt | None:
    """The first statement that changes a parameter, if from there on only such statements use
    it."""
    changes = [
        node
        for node in walk(function)
        if isinstance(node, ast.stmt) and (root := mutated(node)) is not None and root.id == name
    ]
    if not changes:
        return None
    first = min(changes, key=lambda change: change.lineno)
    in_changes = {inner for change in changes for inner in walk(change)}
    repeated = {
        inner
        for loop in walk(function)
        if isinstance(loop, _LOOPS) and any(change in walk(loop) for change in changes)
        for inner in walk(loop)
    }
    for node in walk(function):
        if isinstance(node, ast.Name) and node.id == name and node not in in_changes:
            if not isinstance(node.ctx, ast.Load) or node in repeated:
                return None
            if node.lineno >= first.lineno:
                return None
    return first

"""What statements draw, one function per form.

A statement in which nothing happens that the graph shows, and that no jump leaves, is not drawn:
it is drawn on trial and taken back.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from wfc.analyse.graph.draft import End, Jump
from wfc.analyse.graph.expressions import assign, value
from wfc.analyse.graph.flow import Flow
from wfc.analyse.graph.loops import each, repeat
from wfc.analyse.graph.shapes import EdgeKind, NodeKind
from wfc.analyse.graph.trying import attempt
from wfc.analyse.graph.withs import enter
from wfc.nodes import children, walk

__all__ = ["block"]


def block(flow: Flow, statements: Sequence[ast.stmt]) -> None:
    """Draw statements one after the other, until nothing leads on."""
    for statement in statements:
        if not flow.draft.ends:
            return
        _statement(flow, statement)


def _statement(flow: Flow, statement: ast.stmt) -> None:
    match statement:
        case ast.Expr(value=expr):
            _expression(flow, expr)
        case ast.Assign(targets=targets, value=given):
            assign(flow, targets[0], given)
        case ast.AnnAssign(target=target, value=ast.expr() as given):
            assign(flow, target, given)
        case ast.AugAssign(target=target, value=given):
            # `coros += [step(x)]` adds to what the variable holds.
            grown = isinstance(given, ast.List | ast.ListComp) and isinstance(target, ast.Name)
            assign(flow, _slot(target) if grown else target, given)
        case ast.If():
            choose(flow, statement)
        case ast.Match():
            match_cases(flow, statement)
        case ast.For() | ast.AsyncFor():
            each(flow, statement)
        case ast.While():
            repeat(flow, statement)
        case ast.Try() | ast.TryStar():
            attempt(flow, statement)
        case ast.With() | ast.AsyncWith():
            enter(flow, statement, statement.items)
        case ast.Return():
            leave(flow, statement)
        case ast.Raise():
            fail(flow, statement)
        case ast.Break():
            flow.draft.jump(Jump.BREAK)
        case ast.Continue():
            flow.draft.jump(Jump.CONTINUE)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return  # drawn where it is called
        case _:
            for child in children(statement):
                if isinstance(child, ast.expr) and not isinstance(child, ast.Name):
                    value(flow, child)


def _expression(flow: Flow, expr: ast.expr) -> None:
    match expr:
        case ast.Call(
            func=ast.Attribute(value=ast.Name() as holder, attr="append" | "add" | "extend"),
            args=[given],
        ):
            assign(flow, _slot(holder), given)
            flow.evaluated.add(expr)
            value(flow, expr)
        case _:
            value(flow, expr)


def _slot(target: ast.expr) -> ast.Subscript:
    """A place inside of what a variable holds."""
    made = ast.Subscript(value=target, slice=ast.Constant(value=0), ctx=ast.Store())
    return ast.copy_location(made, target)


def choose(flow: Flow, statement: ast.If) -> None:
    """Draw `if`; an `elif` is an `if` in the other half."""
    draft = flow.draft
    value(flow, _first_operand(statement.test))
    mark = draft.mark()
    branch, yes, no = _condition(flow, statement.test)
    ends: list[End] = []
    drawn = len(draft.nodes)
    for kind, ways, body in (
        (EdgeKind.THEN, yes, statement.body),
        (EdgeKind.ELSE, no, statement.orelse),
    ):
        draft.ends = tuple(ways)
        with draft.noting(conditional_id=branch, branch=kind.value):
            flow.block(flow, body)
        ends += draft.ends
    draft.ends = tuple(ends)
    if len(draft.nodes) == drawn == mark[0] + 1 and draft.jumps == mark[3]:
        draft.back_to(mark)


def _condition(flow: Flow, test: ast.expr) -> tuple[str, list[End], list[End]]:
    """Draw a test whose first operand is evaluated: its (last) branch, and the ways to yes and no.

    Where a later operand of `and` or `or` awaits something, each operand is a branch of its own.
    """
    text = flow.text(test)
    if not isinstance(test, ast.BoolOp) or not _awaits(test.values[1:]):
        branch = flow.add(NodeKind.BRANCH, text, test, {"test": text})
        return branch, [End(branch, EdgeKind.THEN)], [End(branch, EdgeKind.ELSE)]
    branch = ""
    yes: list[End] = []
    no: list[End] = []
    for index, operand in enumerate(test.values):
        if index:
            value(flow, _first_operand(operand))
        branch, here_yes, here_no = _condition(flow, operand)
        onward, out, collected = (here_yes, here_no, no)
        if isinstance(test.op, ast.Or):
            onward, out, collected = (here_no, here_yes, yes)
        collected += out
        flow.draft.ends = tuple(onward)
    (yes if isinstance(test.op, ast.And) else no).extend(flow.draft.ends)
    return branch, yes, no


def _first_operand(test: ast.expr) -> ast.expr:
    while isinstance(test, ast.BoolOp) and _awaits(test.values[1:]):
        test = test.values[0]
    return test


def _awaits(operands: Sequence[ast.expr]) -> bool:
    return any(isinstance(n, ast.Await) for operand in operands for n in walk(operand))


def match_cases(flow: Flow, statement: ast.Match) -> None:
    """Draw `match`: one edge for each case, and one for no case."""
    value(flow, statement.subject)
    draft = flow.draft
    mark = draft.mark()
    subject = flow.text(statement.subject)
    data = {"test": subject, "match": True}
    branch = flow.add(NodeKind.BRANCH, f"match {subject}", statement.subject, data)
    ends: list[End] = []
    complete = False
    for case in statement.cases:
        label = flow.text(case.pattern)
        label += f" if {flow.text(case.guard)}" if case.guard is not None else ""
        draft.ends = (End(branch, EdgeKind.CASE, label),)
        with draft.noting(conditional_id=branch, branch=label):
            if case.guard is not None:
                value(flow, case.guard)
            flow.block(flow, case.body)
        ends += draft.ends
        complete = complete or (case.guard is None and _takes_all(case.pattern))
    draft.ends = tuple(ends) if complete else (*ends, End(branch, EdgeKind.ELSE))
    if len(draft.nodes) == mark[0] + 1 and draft.jumps == mark[3]:
        draft.back_to(mark)


def _takes_all(pattern: ast.pattern) -> bool:
    match pattern:
        case ast.MatchAs(pattern=None):
            return True
        case ast.MatchAs(pattern=ast.pattern() as inner):
            return _takes_all(inner)
        case ast.MatchOr(patterns=several):
            return any(_takes_all(p) for p in several)
    return False


def leave(flow: Flow, statement: ast.Return) -> None:
    """Draw `return`. The last one of a workflow is its end, one of a helper leads on."""
    if statement.value is not None:
        value(flow, statement.value)
    if len(flow.stack) == 1 and statement is not flow.scope.function.body[-1]:
        flow.add(NodeKind.RETURN, flow.text(statement), statement)
    flow.draft.jump(Jump.RETURN)


def fail(flow: Flow, statement: ast.Raise) -> None:
    """Draw `raise`: to the handlers around it, else to the end of the run."""
    for expr in (statement.exc, statement.cause):
        if expr is not None:
            value(flow, expr)
    flow.add(NodeKind.RAISE, flow.text(statement), statement)
    flow.draft.jump(Jump.RAISE, _raised(statement.exc))


def _raised(expr: ast.expr | None) -> str:
    match expr:
        case ast.Call(func=func):
            return _raised(func)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""

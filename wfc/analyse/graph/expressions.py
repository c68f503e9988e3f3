"""What evaluating an expression draws, one function per form."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from wfc.analyse.graph import parallel
from wfc.analyse.graph.calls import (
    Asyncio,
    Durable,
    Dynamic,
    Inline,
    Spawn,
    StepCall,
    argument,
    classify,
    dotted,
)
from wfc.analyse.graph.draft import End, Ends
from wfc.analyse.graph.flow import Flow
from wfc.analyse.graph.inline import choice, inline, references, step
from wfc.analyse.graph.shapes import EdgeKind, NodeKind
from wfc.nodes import children

__all__ = ["assign", "awaited", "value"]


def value(flow: Flow, expr: ast.expr) -> None:
    """Draw what happens while `expr` is evaluated. A coroutine that is not awaited here is drawn
    where it is made, unless an assignment remembers it for later."""
    match expr:
        case ast.Await(value=inner):
            awaited(flow, inner)
        case ast.Call():
            call(flow, expr, is_awaited=False)
        case ast.IfExp():
            conditional(flow, expr, value)
        case ast.BoolOp():
            short_circuit(flow, expr)
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
            comprehension(flow, expr, expr.generators, [expr.elt])
        case ast.DictComp():
            comprehension(flow, expr, expr.generators, [expr.key, expr.value])
        case ast.NamedExpr(target=target, value=inner):
            assign(flow, target, inner)
        case ast.JoinedStr():
            _joined_string(flow, expr)
        case ast.Name(id=name) if name in flow.variables.pending:
            parallel.run_pending(flow, name)
        case ast.Lambda():
            return
        case _:
            _children(flow, expr)


def awaited(flow: Flow, expr: ast.expr) -> None:
    """Draw `await expr`."""
    variables = flow.variables
    match expr:
        case ast.Name(id=name) if name in variables.pending:
            parallel.run_pending(flow, name)
        case ast.Name(id=name) if name in variables.tasks:
            parallel.join_tasks(flow, name, expr)
        case ast.Name(id=name) if name in variables.hooks:
            data = {"hook": variables.hooks[name]}
            flow.add(NodeKind.WAIT, f"await {name}", expr, data)
        case ast.Attribute(value=ast.Name(id=name), attr="return_value"):
            if name in variables.children:
                data = {"workflow": variables.children[name]}
                flow.add(NodeKind.WAIT, f"await {flow.text(expr)}", expr, data)
        case ast.Call():
            call(flow, expr, is_awaited=True)
        case ast.IfExp():
            conditional(flow, expr, awaited)
        case _:
            value(flow, expr)


def call(flow: Flow, expr: ast.Call, *, is_awaited: bool) -> None:
    """Draw a call: first its arguments, then what it does."""
    meaning = classify(flow.resolver, flow.scope, expr)
    if isinstance(meaning, Asyncio):
        parallel.together(flow, expr, meaning.method)
        return
    if isinstance(meaning, Spawn):
        parallel.spawn(flow, expr)
        return
    if expr not in flow.evaluated:
        arguments(flow, expr, is_inline=isinstance(meaning, Inline))
    match meaning:
        case StepCall(step=marked):
            step(flow, marked, expr)
        case Durable():
            durable(flow, expr, meaning, is_awaited=is_awaited)
        case Inline(callee=callee):
            inline(flow, callee, expr)
        case Dynamic(candidates=candidates):
            choice(flow, candidates, expr)


def arguments(flow: Flow, expr: ast.Call, *, is_inline: bool = False) -> None:
    """Draw the evaluation of the arguments, and the steps that they hand on as values."""
    flow.evaluated.add(expr)
    if isinstance(expr.func, ast.Attribute):
        value(flow, expr.func.value)
    elif not isinstance(expr.func, ast.Name):
        value(flow, expr.func)
    # What `partial` makes is followed to where it is called.
    kept = is_inline or dotted(flow.resolver, flow.scope, expr.func) == "functools.partial"
    for given in (*expr.args, *(k.value for k in expr.keywords)):
        value(flow, given)
        if not kept:
            references(flow, given)


def durable(flow: Flow, expr: ast.Call, what: Durable, *, is_awaited: bool) -> None:
    """Draw a call of the runtime."""
    match what.kind:
        case NodeKind.SLEEP:
            duration = argument(expr, 0, "seconds") or argument(expr, 0, "delay")
            parallel.timer(flow, expr, duration, "sleep")
        case NodeKind.HOOK | NodeKind.WEBHOOK:
            _hook(flow, expr, what, is_awaited=is_awaited)
        case NodeKind.FETCH:
            url = argument(expr, 0, "url")
            text = flow.text(url) if url else ""
            flow.add(NodeKind.FETCH, f"fetch {text}".rstrip(), expr, {"url": text})
        case NodeKind.ACTION:
            step = argument(expr, 0, "step")
            text = flow.text(step) if step else ""
            flow.add(NodeKind.ACTION, f"ask {text}".rstrip(), expr, {"step_name": text})
        case NodeKind.CHILD:
            name = what.child.qualname if what.child else _first(flow, expr)
            data = {"workflow": what.child.id if what.child else None}
            flow.add(NodeKind.CHILD, name, expr, data)
        case NodeKind.RESPOND:
            flow.add(NodeKind.RESPOND, "respond", expr)
        case _:
            raise AssertionError(what.kind)


def _hook(flow: Flow, expr: ast.Call, what: Durable, *, is_awaited: bool) -> None:
    token = argument(expr, -1, "token")
    payload = flow.text(what.payload) if what.payload else None
    data = {
        "token": flow.text(token) if token else None,
        "payload": payload,
        "awaited": is_awaited,
    }
    name = " ".join(["await" if is_awaited else "open", what.kind.value, payload or ""])
    flow.add(what.kind, name.rstrip(), expr, data)


def _first(flow: Flow, expr: ast.Call) -> str:
    return flow.text(expr.args[0]) if expr.args else flow.text(expr)


def conditional(flow: Flow, expr: ast.IfExp, draw: parallel.Draw) -> None:
    """Draw `a if test else b`, where one of the two draws anything."""
    value(flow, expr.test)
    mark = flow.draft.mark()
    test = flow.text(expr.test)
    branch = flow.add(NodeKind.BRANCH, test, expr.test, {"test": test})
    ends: list[End] = []
    for kind, part in ((EdgeKind.THEN, expr.body), (EdgeKind.ELSE, expr.orelse)):
        flow.draft.ends = (End(branch, kind),)
        draw(flow, part)
        ends += flow.draft.ends
    flow.draft.ends = tuple(ends)
    if len(flow.draft.nodes) == mark[0] + 1:
        flow.draft.back_to(mark)


def short_circuit(flow: Flow, expr: ast.BoolOp) -> None:
    """Draw `a and b`: what follows the first operand may not happen."""
    value(flow, expr.values[0])
    onward, skip = EdgeKind.THEN, EdgeKind.ELSE
    if isinstance(expr.op, ast.Or):
        onward, skip = skip, onward
    skipped: list[End] = []
    for left, operand in zip(expr.values, expr.values[1:], strict=False):
        mark = flow.draft.mark()
        test = flow.text(left)
        branch = flow.add(NodeKind.BRANCH, test, left, {"test": test})
        flow.draft.ends = (End(branch, onward),)
        value(flow, operand)
        if len(flow.draft.nodes) == mark[0] + 1:
            flow.draft.back_to(mark)
        else:
            skipped.append(End(branch, skip))
    flow.draft.ends = (*flow.draft.ends, *skipped)


def comprehension(
    flow: Flow,
    expr: ast.expr,
    generators: Sequence[ast.comprehension],
    parts: Sequence[ast.expr],
) -> None:
    """Draw a comprehension as the loops that it is."""
    if not generators:
        for part in parts:
            value(flow, part)
        return
    first, rest = generators[0], generators[1:]
    value(flow, first.iter)
    draft = flow.draft
    mark = draft.mark()
    word = "async for" if first.is_async else "for"
    label = f"{word} {flow.text(first.target)} in {flow.text(first.iter)}"
    loop = flow.add(NodeKind.LOOP, label, expr, {"loop_is_await": bool(first.is_async)})
    with draft.noting(loop_id=loop):
        draft.ends = (End(loop, EdgeKind.LOOP),)
        back: Ends = ()
        inner = draft.mark()
        for test in first.ifs:
            value(flow, test)
            text = flow.text(test)
            branch = flow.add(NodeKind.BRANCH, text, test, {"test": text})
            back = (*back, End(branch, EdgeKind.ELSE))
            draft.ends = (End(branch, EdgeKind.THEN),)
        tests = len(draft.nodes)
        comprehension(flow, expr, rest, parts)
        if len(draft.nodes) == tests == inner[0] + len(first.ifs):
            draft.back_to(mark)
            return
        parallel.tie_back(draft, (*draft.ends, *back), loop)
    draft.ends = (End(loop),)


def assign(flow: Flow, target: ast.expr, given: ast.expr) -> None:
    """Draw `target = given` and remember what the variable holds."""
    match target, given:
        case (ast.Tuple(elts=names), ast.Tuple(elts=values)) if len(names) == len(values):
            for one, part in zip(names, values, strict=True):
                assign(flow, one, part)
            return
    name = _root(target)
    if name and parallel.is_later(flow, given):
        laters = parallel.prepare(flow, given)
        if isinstance(target, ast.Name):
            flow.variables.pending[name] = laters
        else:
            flow.variables.pending.setdefault(name, []).extend(laters)
        return
    before, nodes = len(flow.spawned), len(flow.draft.nodes)
    value(flow, given)
    if name:
        _remember(flow, name, before, nodes, given)


def _remember(flow: Flow, name: str, spawned: int, nodes: int, given: ast.expr) -> None:
    tasks = flow.spawned[spawned:]
    if tasks:
        flow.variables.tasks.setdefault(name, []).extend(tasks)
    made = flow.draft.nodes[nodes:]
    if made and isinstance(given, ast.Call) and made[-1].kind in (NodeKind.HOOK, NodeKind.WEBHOOK):
        flow.variables.hooks[name] = made[-1].id
    if made and made[-1].kind is NodeKind.CHILD:
        flow.variables.children[name] = str(made[-1].data["workflow"])


def _root(target: ast.expr) -> str | None:
    match target:
        case ast.Name(id=name) | ast.Subscript(value=ast.Name(id=name)):
            return name
    return None


def _joined_string(flow: Flow, expr: ast.JoinedStr) -> None:
    before = flow.quoted
    flow.quoted = before or expr
    _children(flow, expr)
    flow.quoted = before


def _children(flow: Flow, node: ast.AST) -> None:
    for child in children(node):
        if isinstance(child, ast.expr):
            value(flow, child)
        elif not isinstance(child, ast.expr_context | ast.operator | ast.cmpop):
            _children(flow, child)

"""Loops: a head, a body that leads back to it, and the ways out."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from wfc.analyse.graph import parallel
from wfc.analyse.graph.calls import Asyncio, Durable, classify
from wfc.analyse.graph.draft import End, LoopFrame
from wfc.analyse.graph.expressions import value
from wfc.analyse.graph.flow import Flow
from wfc.analyse.graph.shapes import EdgeKind, NodeKind

__all__ = ["each", "repeat"]


def each(flow: Flow, statement: ast.For | ast.AsyncFor) -> None:
    """Draw `for` and `async for`."""
    value(flow, statement.iter)
    target, source = flow.text(statement.target), flow.text(statement.iter)
    is_await = isinstance(statement, ast.AsyncFor)
    label = f"{'async for' if is_await else 'for'} {target} in {source}"
    waits = is_await and _is_hook(flow, statement.iter)
    data = {"loop_is_await": is_await, "waits": waits or _is_completed(flow, statement.iter)}
    mark = flow.draft.mark()
    loop = flow.add(NodeKind.LOOP, label, statement.iter, data)
    before = flow.variables.each
    flow.variables.each = f"for {target} in {source}"
    _body(flow, statement.body, statement.orelse, loop, loop, mark, waits=waits)
    flow.variables.each = before


def repeat(flow: Flow, statement: ast.While) -> None:
    """Draw `while`. What the test awaits is part of each round."""
    draft = flow.draft
    mark = draft.mark()
    first = len(draft.nodes)
    value(flow, statement.test)
    test = flow.text(statement.test)
    loop = flow.add(NodeKind.LOOP, f"while {test}", statement.test, {"loop_is_await": False})
    head = draft.nodes[first].id
    endless = isinstance(statement.test, ast.Constant) and bool(statement.test.value)
    before = flow.variables.each
    flow.variables.each = f"while {test}"
    _body(flow, statement.body, statement.orelse, loop, head, mark, endless=endless)
    flow.variables.each = before


def _body(
    flow: Flow,
    body: Sequence[ast.stmt],
    orelse: Sequence[ast.stmt],
    loop: str,
    head: str,
    mark: tuple[int, int, tuple[End, ...], int],
    *,
    waits: bool = False,
    endless: bool = False,
) -> None:
    draft = flow.draft
    frame = LoopFrame()
    draft.ends = (End(loop, EdgeKind.LOOP),)
    with draft.within(frame), draft.noting(loop_id=loop):
        flow.block(flow, body)
        parallel.tie_back(draft, (*draft.ends, *frame.continues), head)
    draft.ends = () if endless else (End(loop, EdgeKind.ELSE if orelse else EdgeKind.NEXT),)
    if orelse:
        flow.block(flow, orelse)
    draft.ends = (*draft.ends, *frame.breaks)
    jumps = draft.jumps - mark[3] - frame.jumps
    if len(draft.nodes) == mark[0] + 1 and not jumps and not waits:
        draft.back_to(mark)


def _is_hook(flow: Flow, source: ast.expr) -> bool:
    match source:
        case ast.Name(id=name):
            return name in flow.variables.hooks
        case ast.Call():
            what = classify(flow.resolver, flow.scope, source)
            return isinstance(what, Durable) and what.kind in (NodeKind.HOOK, NodeKind.WEBHOOK)
    return False


def _is_completed(flow: Flow, source: ast.expr) -> bool:
    if not isinstance(source, ast.Call):
        return False
    return isinstance(classify(flow.resolver, flow.scope, source), Asyncio)

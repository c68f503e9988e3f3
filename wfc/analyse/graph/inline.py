"""Calls of the project's own functions: their graph takes the place of the call."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from wfc.analyse.graph.calls import Asyncio, Durable, Dynamic, Inline, Spawn, StepCall, classify
from wfc.analyse.graph.draft import End, FunctionFrame
from wfc.analyse.graph.flow import Flow
from wfc.analyse.graph.resolve import Callee, Candidate, Resolver, Scope
from wfc.analyse.graph.shapes import EdgeKind, NodeKind
from wfc.model import Kind, Marked
from wfc.nodes import walk

__all__ = ["choice", "inline", "references", "step", "touches"]

LIMIT = 150
"""From this many nodes on, a helper is drawn only once."""


def step(flow: Flow, marked: Marked, at: ast.AST) -> None:
    """Draw the call of a step."""
    flow.add(NodeKind.STEP, _title(marked), at, {"step": marked.id})


def inline(flow: Flow, callee: Callee, call: ast.Call) -> None:
    """Draw a helper in the place of its call; one that is being drawn already is only named."""
    bound = _bound(flow.scope, callee, call)
    passed = [e for e, _ in bound.values() if flow.resolver.candidates(flow.scope, e)]
    draft = flow.draft
    if not passed and not touches(flow.resolver, callee):
        return
    known = callee.node in flow.drawn and len(draft.nodes) >= LIMIT
    if known or callee.node in flow.stack:
        recursive = callee.node in flow.stack
        data = {"function": callee.name, "recursive": recursive}
        flow.add(NodeKind.CALL, f"{callee.name}()", call, data)
        return
    before = len(draft.nodes)
    frame = FunctionFrame()
    scope = Scope(callee.module, callee.top, callee.node, callee.parent, callee.owner, bound)
    with flow.inside(scope), draft.within(frame), draft.noting(function=callee.name):
        flow.block(flow, callee.node.body)
        draft.ends = (*draft.ends, *frame.returns)
    if len(draft.nodes) > before:
        flow.drawn.add(callee.node)
    shown = {n.data.get("step") for n in draft.nodes[before:]}
    for argument in passed:
        references(flow, argument, shown)


def choice(flow: Flow, candidates: Iterable[Candidate], call: ast.Call) -> None:
    """Draw a call that may reach several functions."""
    wanted = [c for c in candidates if isinstance(c.what, Marked) or touches(flow.resolver, c.what)]
    if not wanted:
        return
    if len(wanted) == 1:
        _draw(flow, wanted[0], call)
        return
    names = [c.what.id if isinstance(c.what, Marked) else c.what.name for c in wanted]
    chosen = flow.add(NodeKind.CALL, flow.text(call.func), call, {"candidates": names})
    ends: list[End] = []
    for candidate in wanted:
        flow.draft.ends = (End(chosen, EdgeKind.CASE, candidate.label),)
        _draw(flow, candidate, call)
        ends += flow.draft.ends
    flow.draft.ends = tuple(ends)


def _draw(flow: Flow, candidate: Candidate, call: ast.Call) -> None:
    if isinstance(candidate.what, Marked):
        step(flow, candidate.what, call)
    else:
        inline(flow, candidate.what, call)


def references(flow: Flow, argument: ast.expr, shown: Iterable[object] = ()) -> None:
    """Draw the steps that an argument hands on as values, unless their ids are in `shown`."""
    seen = set(shown)
    for candidate in _handed_on(flow, argument):
        if candidate.id not in seen:
            seen.add(candidate.id)
            data = {"step": candidate.id, "is_step_reference": True}
            flow.add(NodeKind.REFERENCE, _title(candidate), argument, data)


def touches(resolver: Resolver, callee: Callee) -> bool:
    """Whether a helper does anything that the graph shows, itself or through others."""
    seen: set[ast.AST] = set()
    queue = [callee]
    while queue:
        current = queue.pop()
        if current.node in seen:
            continue
        seen.add(current.node)
        found = resolver.touching.get(current.node)
        if found is None:
            found = resolver.touching[current.node] = _direct(resolver, current)
        if found is True:
            return True
        queue += found or []
    return False


def _direct(resolver: Resolver, callee: Callee) -> bool | list[Callee]:
    scope = Scope(callee.module, callee.top, callee.node, callee.parent, callee.owner)
    more: list[Callee] = []
    for node in walk(callee.node):
        if isinstance(resolver.meaning(node), Marked):
            return True
        if isinstance(node, ast.Call):
            match classify(resolver, scope, node):
                case StepCall() | Durable() | Asyncio() | Spawn():
                    return True
                case Inline(callee=other):
                    more.append(other)
                case Dynamic(candidates=several):
                    if any(isinstance(c.what, Marked) for c in several):
                        return True
                    more += [c.what for c in several if isinstance(c.what, Callee)]
    return more


def _bound(scope: Scope, callee: Callee, call: ast.Call) -> dict[str, tuple[ast.expr, Scope]]:
    a = callee.node.args
    names = [arg.arg for arg in (*a.posonlyargs, *a.args)]
    bound: dict[str, tuple[ast.expr, Scope]] = {}
    if callee.owner is not None and names[:1] in (["self"], ["cls"]):
        names = names[1:]
    for name, value in zip(names, call.args, strict=False):
        if isinstance(value, ast.Starred):
            break
        bound[name] = (value, scope)
    for keyword in call.keywords:
        if keyword.arg:
            bound[keyword.arg] = (keyword.value, scope)
    return bound


def _handed_on(flow: Flow, argument: ast.expr) -> list[Marked]:
    found: list[Marked] = []
    match argument:
        case ast.Lambda(body=body):
            inner: Iterable[ast.AST] = walk(body)
        case ast.Name() | ast.Attribute():
            local = flow.resolver.callee(flow.scope, argument)
            inner = walk(local.node) if isinstance(local, Callee) else [argument]
            found = [local] if isinstance(local, Marked) else []
        case ast.Starred(value=value):
            return _handed_on(flow, value)
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return [m for item in items for m in _handed_on(flow, item)]
        case ast.Dict(values=items):
            return [m for item in items for m in _handed_on(flow, item)]
        case ast.IfExp(body=one, orelse=other):
            return [*_handed_on(flow, one), *_handed_on(flow, other)]
        case _:
            return []
    for node in inner:
        meaning = flow.resolver.meaning(node)
        if isinstance(meaning, Marked):
            found.append(meaning)
    return [m for m in found if m.kind is Kind.STEP]


def _title(marked: Marked) -> str:
    return marked.name.rpartition("/")[2].replace("#", ".")

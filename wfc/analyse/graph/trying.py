"""`try`: its handlers, its `else`, and its `finally`, which jumps pass on their way out.

An `except` edge from the `try` node stands for an error anywhere in the body: every step may fail,
and an edge from each of them would hide the rest. Where the body raises by itself there is an edge
from that place. What happens to an error that nobody handles is not drawn.
"""

from __future__ import annotations

import ast

from wfc.analyse.graph.draft import Draft, End, FinallyFrame, HandlerFrame
from wfc.analyse.graph.flow import Flow
from wfc.analyse.graph.shapes import EdgeKind, NodeKind

__all__ = ["attempt"]


def attempt(flow: Flow, statement: ast.Try | ast.TryStar) -> None:
    """Draw `try`."""
    draft = flow.draft
    mark = draft.mark()
    node = flow.add(NodeKind.TRY, "try", _keyword(statement))
    if not statement.finalbody:
        _guarded(flow, statement, node)
    else:
        frame = FinallyFrame()
        with draft.within(frame):
            _guarded(flow, statement, node)
        _finally(flow, statement, node, frame)
    if _is_bare(draft, mark[0]) and draft.jumps == mark[3]:
        draft.back_to(mark)


def _is_bare(draft: Draft, first: int) -> bool:
    return all(n.kind in (NodeKind.TRY, NodeKind.EXCEPT) for n in draft.nodes[first:])


def _guarded(flow: Flow, statement: ast.Try | ast.TryStar, node: str) -> None:
    draft = flow.draft
    frame = HandlerFrame(tuple(_names(h) for h in statement.handlers))
    if statement.handlers:
        with draft.within(frame):
            flow.block(flow, statement.body)
    else:
        flow.block(flow, statement.body)
    if draft.ends:
        flow.block(flow, statement.orelse)
    ends = list(draft.ends)
    star = "*" if isinstance(statement, ast.TryStar) else ""
    for handler, raised in zip(statement.handlers, frame.raised, strict=True):
        draft.ends = (End(node, EdgeKind.EXCEPT), *map(_error, raised))
        flow.add(NodeKind.EXCEPT, _title(flow, handler, star), handler)
        flow.block(flow, handler.body)
        ends += draft.ends
    draft.ends = tuple(ends)


def _finally(flow: Flow, statement: ast.Try | ast.TryStar, node: str, frame: FinallyFrame) -> None:
    """One body for all ways through it: after it, each way goes on to where it led."""
    draft = flow.draft
    mark = draft.mark()
    normal = draft.ends
    waiting = [end for ends in frame.waiting.values() for end in ends]
    draft.ends = (*normal, *waiting, End(node, EdgeKind.FINALLY))
    final = flow.add(NodeKind.FINALLY, "finally", statement.finalbody[0])
    flow.block(flow, statement.finalbody)
    if len(draft.nodes) == mark[0] + 1 and draft.ends == (End(final),):
        draft.back_to(mark)
        for (jump, error), ends in frame.waiting.items():
            draft.ends = tuple(ends)
            draft.jump(jump, error)
        draft.ends = normal
        return
    after = draft.ends
    for jump, error in frame.waiting:
        draft.ends = tuple(End(e.node, e.kind, e.label or jump.value) for e in after)
        draft.jump(jump, error)
    draft.ends = after if normal else ()


def _error(end: End) -> End:
    plain = end.kind is EdgeKind.NEXT
    return End(end.node, EdgeKind.EXCEPT if plain else end.kind, end.label)


def _names(handler: ast.ExceptHandler) -> tuple[str, ...] | None:
    match handler.type:
        case None:
            return None
        case ast.Tuple(elts=items):
            return tuple(_last(item) for item in items)
        case one:
            return (_last(one),)


def _last(expr: ast.expr) -> str:
    match expr:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return "?"


def _title(flow: Flow, handler: ast.ExceptHandler, star: str) -> str:
    if handler.type is None:
        return "except"
    return f"except{star} {flow.text(handler.type)}"


def _keyword(statement: ast.stmt) -> ast.AST:
    """Only the word that begins a statement, so that its span is not the whole block."""
    return ast.Pass(
        lineno=statement.lineno,
        col_offset=statement.col_offset,
        end_lineno=statement.lineno,
        end_col_offset=statement.col_offset + len("try"),
    )

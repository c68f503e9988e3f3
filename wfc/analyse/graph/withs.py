"""`with` and `async with`: task groups, time limits, hooks, and everything else."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from wfc.analyse.graph import parallel
from wfc.analyse.graph.calls import dotted
from wfc.analyse.graph.draft import End, Jump
from wfc.analyse.graph.expressions import assign, value
from wfc.analyse.graph.flow import Flow, Group
from wfc.analyse.graph.shapes import EdgeKind, NodeKind

__all__ = ["enter"]

With = ast.With | ast.AsyncWith


def enter(flow: Flow, statement: With, items: Sequence[ast.withitem]) -> None:
    """Draw the block of a `with`, one item after the other."""
    if not items:
        flow.block(flow, statement.body)
        return
    first, rest = items[0], items[1:]
    expr = first.context_expr
    match dotted(flow.resolver, flow.scope, expr.func) if isinstance(expr, ast.Call) else "":
        case "asyncio.TaskGroup":
            task_group(flow, statement, first, rest)
        case "asyncio.timeout" | "asyncio.timeout_at":
            time_limit(flow, statement, expr, rest)
        case _:
            if first.optional_vars is not None:
                assign(flow, first.optional_vars, expr)
            else:
                value(flow, expr)
            enter(flow, statement, rest)


def task_group(
    flow: Flow, statement: With, item: ast.withitem, rest: Sequence[ast.withitem]
) -> None:
    """Draw a TaskGroup: what its block starts is joined where the block ends."""
    draft = flow.draft
    mark = draft.mark()
    data = {"method": "TaskGroup", "until": "all"}
    fork = flow.add(NodeKind.PARALLEL, "TaskGroup", item.context_expr, data)
    name = item.optional_vars.id if isinstance(item.optional_vars, ast.Name) else ""
    group = Group(name)
    flow.groups.append(group)
    enter(flow, statement, rest)
    flow.groups.pop()
    if len(draft.nodes) == mark[0] + 1 and draft.jumps == mark[3]:
        draft.back_to(mark)
        return
    # A block that only starts tasks does nothing beside them.
    idle = draft.ends == (End(fork),) and group.ends
    draft.ends = (*(() if idle else draft.ends), *group.ends)
    if draft.ends:
        join = {"until": "all", "parallel_group_id": fork}
        flow.add(NodeKind.JOIN, "all", item.context_expr, join)


def time_limit(flow: Flow, statement: With, expr: ast.expr, rest: Sequence[ast.withitem]) -> None:
    """Draw `asyncio.timeout`: the block races a timer, which raises TimeoutError."""
    draft = flow.draft
    mark = draft.mark()
    limit = expr.args[0] if isinstance(expr, ast.Call) and expr.args else None
    if limit is None or (isinstance(limit, ast.Constant) and limit.value is None):
        enter(flow, statement, rest)
        return
    fork = flow.add(NodeKind.PARALLEL, "timeout", expr, {"method": "timeout", "until": "first"})
    with draft.noting(parallel_group_id=fork):
        draft.ends = (End(fork, EdgeKind.PARALLEL),)
        parallel.timer(flow, limit, limit, "timeout")
        draft.jump(Jump.RAISE, "TimeoutError")
        draft.ends = (End(fork, EdgeKind.PARALLEL),)
        drawn = len(draft.nodes)
        jumps = draft.jumps
        enter(flow, statement, rest)
    if len(draft.nodes) == drawn and draft.jumps == jumps:
        draft.back_to(mark)

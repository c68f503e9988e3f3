"""Things that happen at once: forks, tasks, races and where they are joined."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence

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
from wfc.analyse.graph.draft import Draft, End, Jump
from wfc.analyse.graph.flow import Flow, Later
from wfc.analyse.graph.inline import choice, touches
from wfc.analyse.graph.shapes import EdgeKind, NodeKind

__all__ = [
    "Draw",
    "is_later",
    "join_tasks",
    "prepare",
    "run_pending",
    "spawn",
    "tie_back",
    "timer",
    "together",
]

Draw = Callable[[Flow, ast.expr], None]
Branch = Later | tuple[End, ...]

_LATER = {
    NodeKind.SLEEP,
    NodeKind.FETCH,
    NodeKind.ACTION,
    NodeKind.CHILD,
    NodeKind.RESPOND,
}
_CONTAINERS = {"builtins.list", "builtins.tuple", "builtins.set", "builtins.reversed"}


def together(flow: Flow, call: ast.Call, method: str) -> None:
    """Draw `gather`, `wait`, `as_completed` or `wait_for`: fork, branches, join."""
    limit = argument(call, 1 if method == "wait_for" else -1, "timeout")
    if isinstance(limit, ast.Constant) and limit.value is None:
        limit = None
    given = call.args if method == "gather" else call.args[:1] or [k.value for k in call.keywords]
    branches = [b for expr in given for b in flatten(flow, expr)]
    until = "all"
    if method == "wait":
        mode = argument(call, -1, "return_when")
        text = flow.text(mode) if mode else "ALL_COMPLETED"
        until = "all" if "ALL_COMPLETED" in text else "first"
    elif method == "as_completed":
        until = "each"
    _fork(flow, call, branches, method, until, limit)


def _fork(
    flow: Flow,
    call: ast.Call,
    branches: Sequence[Branch],
    method: str,
    until: str,
    limit: ast.expr | None,
) -> None:
    draft = flow.draft
    mark = draft.mark()
    done: list[End] = [end for b in branches if isinstance(b, tuple) for end in b]
    laters = [b for b in branches if isinstance(b, Later)]
    fork = ""
    if laters or limit:
        data = {"method": method, "until": "first" if limit else until}
        fork = flow.add(NodeKind.PARALLEL, method, call, data)
        if done:  # the tasks that run already are waited for together with the new ones
            done.append(End(fork, EdgeKind.PARALLEL, "the rest"))
    with draft.noting(parallel_group_id=fork) if fork else draft.noting():
        for later in laters:
            nodes = len(draft.nodes)
            draft.ends = (End(fork, EdgeKind.PARALLEL, later.each),)
            run(flow, later.expr)
            if len(draft.nodes) > nodes or limit:
                done += draft.ends
        if limit is not None:
            draft.ends = (End(fork, EdgeKind.PARALLEL),)
            timer(flow, limit, limit, "timeout")
            if method in ("wait_for", "timeout"):
                draft.jump(Jump.RAISE, "TimeoutError")
            else:
                done += draft.ends
    if len(draft.nodes) == mark[0] + bool(fork):
        draft.back_to(mark)
        if not any(isinstance(b, tuple) for b in branches):
            return
        done = [*draft.ends, *(end for b in branches if isinstance(b, tuple) for end in b)]
        fork = ""
    draft.ends = tuple(done)
    if method in ("wait_for", "timeout") and len(done) == 1:
        return
    join = {"until": until, **({"parallel_group_id": fork} if fork else {})}
    flow.add(NodeKind.JOIN, until, call, join)


def flatten(flow: Flow, expr: ast.expr, each: str = "") -> list[Branch]:
    """The branches that an argument of `gather` stands for; evaluates their arguments."""
    variables = flow.variables
    match expr:
        case ast.Starred(value=inner):
            return flatten(flow, inner, each)
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return [b for item in items for b in flatten(flow, item, each)]
        case ast.Dict(values=items):
            return [b for item in items for b in flatten(flow, item, each)]
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
            return flatten(flow, expr.elt, _each(flow, expr.generators))
        case ast.DictComp():
            return flatten(flow, expr.value, _each(flow, expr.generators))
        case ast.Name(id=name) if name in variables.pending:
            found = variables.pending.pop(name)
            return [Later(later.expr, later.each or each) for later in found]
        case ast.Name(id=name) if name in variables.tasks:
            return [tuple(variables.tasks.pop(name))]
        case ast.Call(args=[first, *_]) if _passes_on(flow, expr):
            return flatten(flow, first, each)
        case ast.Call(func=ast.Attribute(value=inner, attr="values" | "keys"), args=[]):
            return flatten(flow, inner, each)
        case ast.Call():
            _evaluate(flow, expr)
    return [Later(expr, each)]


def _passes_on(flow: Flow, call: ast.Call) -> bool:
    name = dotted(flow.resolver, flow.scope, call.func)
    if name in _CONTAINERS or name == "asyncio.shield":
        return True
    return isinstance(classify(flow.resolver, flow.scope, call), Spawn)


def _evaluate(flow: Flow, call: ast.Call) -> None:
    """Draw the arguments of a coroutine that runs later: they are evaluated now."""
    if isinstance(classify(flow.resolver, flow.scope, call), Asyncio):
        return
    flow.evaluated.add(call)
    for given in (*call.args, *(k.value for k in call.keywords)):
        flow.value(flow, given)


def _each(flow: Flow, generators: Sequence[ast.comprehension]) -> str:
    return " ".join(f"for {flow.text(g.target)} in {flow.text(g.iter)}" for g in generators)


def run(flow: Flow, expr: ast.expr) -> None:
    """Draw a coroutine that was made before and is run now."""
    match expr:
        case ast.Call(args=[function, *_]) if (
            dotted(flow.resolver, flow.scope, expr.func) == "builtins.map"
        ):
            choice(flow, flow.resolver.candidates(flow.scope, function), expr)
        case _:
            flow.awaited(flow, expr)


def is_later(flow: Flow, expr: ast.expr) -> bool:
    """Whether an expression makes coroutines that run only when something awaits them."""
    match expr:
        case ast.Call():
            match classify(flow.resolver, flow.scope, expr):
                case StepCall() | Dynamic():
                    return True
                case Durable(kind=kind):
                    return kind in _LATER
                case Inline(callee=callee):
                    return isinstance(callee.node, ast.AsyncFunctionDef) and touches(
                        flow.resolver, callee
                    )
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
            return is_later(flow, expr.elt)
        case ast.DictComp():
            return is_later(flow, expr.value)
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return any(is_later(flow, item) for item in items)
        case ast.Dict(values=items):
            return any(is_later(flow, item) for item in items)
        case ast.IfExp(body=one, orelse=other):
            return is_later(flow, one) or is_later(flow, other)
    return False


def prepare(flow: Flow, expr: ast.expr) -> list[Later]:
    """The coroutines that `expr` makes, for `run` to draw where they are awaited."""
    each = flow.variables.each
    return [b for b in flatten(flow, expr, each) if isinstance(b, Later)]


def run_pending(flow: Flow, name: str) -> None:
    """Draw the coroutines that a variable holds, one after the other."""
    for later in flow.variables.pending.pop(name):
        run(flow, later.expr)


def spawn(flow: Flow, call: ast.Call) -> None:
    """Draw `create_task`: its coroutine beside what follows."""
    coroutine = argument(call, 0, "coro")
    if coroutine is None:
        return
    branches = [b for b in flatten(flow, coroutine) if isinstance(b, Later)]
    draft = flow.draft
    mark = draft.mark()
    main = draft.ends
    fork = _only_fork(draft)
    if not fork:
        fork = flow.add(NodeKind.TASK, "start task", call)
        main = draft.ends
    done: list[End] = []
    for later in branches:
        draft.ends = (End(fork, EdgeKind.PARALLEL, later.each),)
        with draft.noting(parallel_group_id=fork):
            run(flow, later.expr)
        done += draft.ends
    if len(draft.nodes) == mark[0] + (main != mark[2]):
        draft.back_to(mark)
        return
    draft.ends = main
    flow.spawned += done
    group = _group(flow, call)
    if group is not None:
        group.extend(done)


def _only_fork(draft: Draft) -> str:
    """The fork that was drawn last, if nothing came after it."""
    match draft.ends:
        case (End(node=node, kind=EdgeKind.NEXT),):
            last = next(n for n in draft.nodes if n.id == node)
            return node if last.kind is NodeKind.PARALLEL else ""
    return ""


def _group(flow: Flow, call: ast.Call) -> list[End] | None:
    match call.func:
        case ast.Attribute(value=ast.Name(id=name)):
            for group in reversed(flow.groups):
                if group.name == name:
                    return group.ends
    return None


def join_tasks(flow: Flow, name: str, at: ast.AST) -> None:
    """Draw the place where tasks are awaited."""
    ends = flow.variables.tasks.pop(name)
    for group in flow.groups:
        group.ends = [end for end in group.ends if end not in ends]
    flow.draft.ends = (*flow.draft.ends, *ends)
    flow.add(NodeKind.JOIN, f"await {name}", at, {"until": "all"})


def timer(flow: Flow, at: ast.AST, duration: ast.expr | None, word: str) -> None:
    """Draw a sleep, or the limit of a race."""
    text = flow.text(duration) if duration is not None else ""
    constant = duration.value if isinstance(duration, ast.Constant) else None
    literal = constant if isinstance(constant, str | int | float) else None
    data = {"duration": literal, "text": text, "timeout": word == "timeout"}
    shown = literal if isinstance(literal, str) else text
    flow.add(NodeKind.SLEEP, f"{word} {shown}".rstrip(), at, data)


def tie_back(draft: Draft, ends: Iterable[End], head: str) -> None:
    """Lead loose ends back to the head of a loop; the label keeps what their kind said."""
    for end in ends:
        word = "" if end.kind is EdgeKind.NEXT else end.label or end.kind.value
        draft.tie([End(end.node, EdgeKind.BACK, word)], head)
    draft.ends = ()

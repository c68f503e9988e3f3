"""Durable calls in the order of a set.

A set has no order of its own: Python goes through it in the order of hashes, and the hashes of
text, tuples, enum members and most other values differ between processes. When a workflow calls
steps in that order, a replay in another process asks for them in another order, and the run is
parked.

Go through `sorted(...)` of it, or keep a list or a dictionary.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import External, Function, Kind, Marked, Module, Program

RULE = Rule(
    code="WF401",
    name="set-iteration",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
async def notify(team: str) -> None:
    "use step"


async def announce() -> None:
    "use workflow"
    for team in {"red", "green"}:
        await notify(team)
""",
    good="""\
async def notify(team: str) -> None:
    "use step"


async def announce() -> None:
    "use workflow"
    for team in sorted({"red", "green"}):
        await notify(team)
""",
)

_SET_OPERATORS = ast.BitAnd | ast.BitOr | ast.BitXor | ast.Sub


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each loop or comprehension over a set that makes durable calls."""
    steps = frozenset(marked.node for marked in program.of(Kind.STEP))
    for module in program.bundled:
        for index in sorted(program.reach.keep[module.name]):
            for function in ast.walk(module.tree.body[index]):
                if isinstance(function, Function) and function not in steps:
                    yield from _in_function(program, module, function)


def _in_function(program: Program, module: Module, function: Function) -> Iterator[Diagnostic]:
    sets = _set_names(program, function)
    for node in _own_nodes(function):
        match node:
            case ast.For(iter=iterated, body=body) if any(_durable(program, s) for s in body):
                pass
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                iterated = node.generators[0].iter
                if not _durable(program, node):
                    continue
            case _:
                continue
        if _is_set(program, iterated, sets):
            yield RULE.at(
                module,
                iterated,
                "This is a set, and its order differs from one process to the next, so a replay "
                "would make these calls in another order.",
                f"Write `sorted({ast.unparse(iterated)})`, or keep a list.",
            )


def _own_nodes(function: Function) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions defined in it."""
    todo: list[ast.AST] = list(function.body)
    while todo:
        node = todo.pop(0)
        yield node
        if not isinstance(node, Function | ast.Lambda | ast.ClassDef):
            todo.extend(ast.iter_child_nodes(node))


def _durable(program: Program, node: ast.AST) -> bool:
    """Whether a node awaits something or calls a step."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Await):
            return True
        if isinstance(inner, ast.Call):
            match program.reach.meaning.get(inner.func):
                case Marked(kind=Kind.STEP):
                    return True
                case External(module="asyncio", member="create_task"):
                    return True
    return False


def _set_names(program: Program, function: Function) -> frozenset[str]:
    """Local names that are only ever given sets."""
    given: dict[str, list[ast.expr | None]] = {}
    for node in _own_nodes(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                given.setdefault(name, []).append(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=value):
                given.setdefault(name, []).append(value)
            case ast.Name(id=name, ctx=ast.Store()) if not _is_plain_target(function, node):
                given.setdefault(name, []).append(None)
            case _:
                pass
    return frozenset(
        name
        for name, values in given.items()
        if all(value is not None and _is_set(program, value, frozenset()) for value in values)
    )


def _is_plain_target(function: Function, target: ast.Name) -> bool:
    """Whether a stored name is the one target of an assignment, which is looked at by its value."""
    return any(
        (isinstance(node, ast.Assign) and node.targets == [target])
        or (isinstance(node, ast.AnnAssign) and node.target is target)
        for node in _own_nodes(function)
    )


def _is_set(program: Program, node: ast.expr, names: frozenset[str]) -> bool:
    """Whether an expression is certainly a set whose order is not that of small integers."""
    match node:
        case ast.Set(elts=elements):
            # The hash of an integer is the integer: their order is the same everywhere.
            return not all(isinstance(e, ast.Constant) and type(e.value) is int for e in elements)
        case ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id="set" | "frozenset"), args=[_]):
            return program.reach.meaning.get(node.func) is None
        case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _SET_OPERATORS):
            return _is_set(program, left, names) or _is_set(program, right, names)
        case ast.Name(id=name):
            return name in names
    return False

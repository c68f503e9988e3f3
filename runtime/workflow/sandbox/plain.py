"""Which expressions give text or numbers, whatever the values of the variables are.

Their text is the same everywhere, so nothing has to be asked at run time (`textpolicy.py`). What is
known is little and certain: calls of builtins that always give such values, variables that only
ever come out of `range`, and arithmetic of numbers.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

__all__ = ["SCOPES", "bindings", "bound_by", "bound_names", "counters", "is_plain"]

SCOPES = (
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.DictComp,
    ast.FunctionDef,
    ast.GeneratorExp,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
)
"""What stands in these has, or may have, variables of its own."""

_NUMBERS = frozenset({"bool", "float", "int", "len", "ord"})
_TEXTS = frozenset({"bin", "chr", "hex", "oct"})
_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)


def bound_names(tree: ast.AST) -> Iterator[str]:
    """Every name that anything below a node binds or deletes, takes from another scope, or has as
    a parameter."""
    yield from bindings(tree)
    for node in ast.walk(tree):
        match node:
            case ast.arg(arg=name):
                yield name
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                yield from names


def bindings(tree: ast.AST) -> Iterator[str]:
    """The names that statements and expressions below a node bind or delete, however deep inside;
    whether it is a variable of that scope does not matter."""
    for node in ast.walk(tree):
        yield from bound_by(node)


def bound_by(node: ast.AST) -> Iterator[str]:
    """The name that a node itself binds or deletes, if it does."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name
        case ast.alias(name=name, asname=other):
            yield other or name.partition(".")[0]
        case (
            ast.FunctionDef(name=str(name))
            | ast.AsyncFunctionDef(name=str(name))
            | ast.ClassDef(name=str(name))
            | ast.ExceptHandler(name=str(name))
            | ast.MatchAs(name=str(name))
            | ast.MatchStar(name=str(name))
            | ast.MatchMapping(rest=str(name))
        ):
            yield name


def counters(
    function: ast.FunctionDef | ast.AsyncFunctionDef, taken: frozenset[str]
) -> frozenset[str]:
    """The variables of a function that have whole numbers out of `range`, and nothing else.

    They are loop variables of its own `for` statements, so they are its own, and nothing below it,
    such as an inner function, gives one of that name another value. `taken` are the names that the
    module binds: `range` among them may be anything.
    """
    if "range" in taken:
        return frozenset()
    own = {_counter(node) for node in _own_nodes(function) if isinstance(node, ast.For)}
    everywhere = Counter(
        _counter(node)
        for node in ast.walk(function)
        if isinstance(node, ast.For | ast.comprehension)
    )
    bound = Counter(bound_names(function))
    spec = function.args
    outside = [*function.decorator_list, *spec.defaults, *filter(None, spec.kw_defaults)]
    used = {getattr(node, "id", "") for part in outside for node in ast.walk(part)}
    return frozenset(name for name in own - used - {""} if bound[name] == everywhere[name])


def _counter(loop: ast.For | ast.comprehension) -> str:
    """The variable of a loop over a `range`; empty for another loop."""
    over_range = _is_call(loop.iter, frozenset({"range"}))
    return loop.target.id if over_range and isinstance(loop.target, ast.Name) else ""


def _own_nodes(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    nodes: list[ast.AST] = list(function.body)
    while nodes:
        node = nodes.pop()
        if not isinstance(node, SCOPES):
            yield node
            nodes.extend(ast.iter_child_nodes(node))


def _is_call(node: ast.expr, names: frozenset[str]) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names


def is_plain(node: ast.expr, numbers: frozenset[str], taken: frozenset[str]) -> bool:
    """Whether an expression, as it was written, gives text or a number. `numbers` are variables
    that are whole numbers, `taken` the names that the module binds."""
    if isinstance(node, ast.JoinedStr) or _is_call(node, _TEXTS - taken):
        return True
    return _is_number(node, numbers, taken)


def _is_number(node: ast.expr, numbers: frozenset[str], taken: frozenset[str]) -> bool:
    match node:
        case ast.Constant(value=int() | float()):
            return True
        case ast.Name(id=name):
            return name in numbers
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return _is_number(operand, numbers, taken)
        case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _ARITHMETIC):
            return _is_number(left, numbers, taken) and _is_number(right, numbers, taken)
    return _is_call(node, _NUMBERS - taken)

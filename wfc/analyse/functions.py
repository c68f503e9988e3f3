"""Walking through functions, for the rules that look at how they flow."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from weakref import WeakKeyDictionary

from wfc.model import External, Function, Kind, Marked, Module, Program
from wfc.nodes import children

__all__ = [
    "LOOPS",
    "MUTATORS",
    "Body",
    "ancestors",
    "awaits",
    "called",
    "catches",
    "exits",
    "functions",
    "is_always_true",
    "is_call_of",
    "is_step_call",
    "mutated",
    "own_nodes",
]

LOOPS = ast.For | ast.AsyncFor | ast.While
_SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
_AWAITS = ast.Await | ast.AsyncFor | ast.AsyncWith
_CHANGE_IN_PLACE = """
add append appendleft clear difference_update discard extend extendleft insert intersection_update
move_to_end pop popitem popleft remove reverse rotate setdefault sort subtract
symmetric_difference_update update
"""
MUTATORS = frozenset(_CHANGE_IN_PLACE.split())


class Body(NamedTuple):
    """A function of workflow code, with the nodes of its body as `own_nodes` gives them."""

    module: Module
    function: Function
    nodes: tuple[ast.AST, ...]


_CACHE: WeakKeyDictionary[Program, tuple[Body, ...]] = WeakKeyDictionary()


def functions(program: Program) -> tuple[Body, ...]:
    """Every function of the code that runs as part of a workflow, inner ones as well."""
    found = _CACHE.get(program)
    if found is None:
        found = _CACHE[program] = tuple(
            Body(module, node, tuple(own_nodes(node.body)))
            for module, node in program.workflow_code()
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        )
    return found


def own_nodes(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes in source order, without what is inside functions and classes defined there."""
    todo = list(nodes)[::-1]
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, _SCOPES):
            todo.extend(children(node)[::-1])


def ancestors(parents: Mapping[ast.AST, ast.AST], node: ast.AST) -> Iterator[ast.AST]:
    """What is around a node, innermost first, up to its function."""
    while (around := parents.get(node)) is not None and not isinstance(around, _SCOPES):
        yield around
        node = around


def awaits(nodes: Iterable[ast.AST]) -> bool:
    """Whether any of it awaits something itself."""
    return any(
        isinstance(node, _AWAITS) or (isinstance(node, ast.comprehension) and node.is_async)
        for node in own_nodes(nodes)
    )


def catches(parents: Mapping[ast.AST, ast.AST], node: ast.AST) -> bool:
    """Whether an exception raised at `node` may be caught in its function."""
    for around in ancestors(parents, node):
        if isinstance(around, ast.Try | ast.TryStar) and around.handlers and node in around.body:
            return True
        if isinstance(around, ast.With | ast.AsyncWith):
            return True  # contextlib.suppress, or a manager of the user's own
        node = around
    return False


def exits(loop: ast.While | ast.For | ast.AsyncFor) -> bool:
    """Whether a statement of the loop leaves it: break, return, raise, or a yield to a caller who
    need not come back."""
    return any(
        isinstance(node, ast.Return | ast.Raise | ast.Yield | ast.YieldFrom)
        for node in own_nodes(loop.body)
    ) or _breaks(loop.body)


def _breaks(body: Iterable[ast.AST]) -> bool:
    for node in body:
        if isinstance(node, ast.Break):
            return True
        if isinstance(node, LOOPS):
            if _breaks(node.orelse):  # a break in there belongs to the loop around
                return True
        elif not isinstance(node, _SCOPES) and _breaks(children(node)):
            return True
    return False


def is_always_true(test: ast.expr) -> bool:
    """Whether a condition is a constant that is true."""
    return isinstance(test, ast.Constant) and bool(test.value)


def called(program: Program, node: ast.AST) -> Marked | External | None:
    """The step, workflow or external function that `node` calls, if it does."""
    return program.reach.meaning.get(node.func) if isinstance(node, ast.Call) else None


def is_call_of(program: Program, node: ast.AST, *names: str) -> bool:
    """Whether `node` calls one of the external functions `names`, such as `asyncio.sleep`."""
    found = called(program, node)
    return isinstance(found, External) and str(found) in names


def is_step_call(program: Program, node: ast.AST) -> bool:
    """Whether `node` calls a step."""
    found = called(program, node)
    return isinstance(found, Marked) and found.kind is Kind.STEP


def mutated(statement: ast.stmt) -> ast.Name | None:
    """The variable whose value `statement` changes in place, if that is what it does."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr=method))):
            return _root(owner) if method in MUTATORS else None
        case ast.Assign(targets=targets) | ast.Delete(targets=targets):
            roots = [
                _root(t.value) for t in targets if isinstance(t, ast.Subscript | ast.Attribute)
            ]
            return roots[0] if roots else None
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            if isinstance(target, ast.Subscript | ast.Attribute):
                return _root(target.value)
    return None


def _root(node: ast.expr) -> ast.Name | None:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node if isinstance(node, ast.Name) else None

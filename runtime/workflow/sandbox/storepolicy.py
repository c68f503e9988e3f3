"""The part of the policy that makes stores to attributes ask whether the object is the workflow's,
and reads of private ones whether the attribute is.

The question of a store is `guards.writable`. Its answer depends on the type of the object alone
when that is a class of workflow code, and the type of an object cannot be changed there. So it is
asked once for each class (`$owned` are those it was answered for), and once for each parameter that
always is the same object: after `self.a = 1` the stores that follow need no question. `$plain` are
the classes all of whose private attributes are the workflow's.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from workflow.sandbox.orderpolicy import OrderPolicy
from workflow.sandbox.plain import bindings
from workflow.sandbox.trees import at, call, if_type_in, read_again

__all__ = ["StorePolicy", "private"]

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class StorePolicy(OrderPolicy):
    """Rewrites the object of stores and deletes."""

    def __init__(self) -> None:
        super().__init__()
        self._proven: set[ast.Attribute] = set()

    def prove(self, function: _Function) -> None:
        """Find the stores in a function, not yet visited, that need no question."""
        parameters = _parameters(function).difference(bindings(function))
        if parameters:
            self._proven.update(_later_stores(function.body, parameters, frozenset()))

    def stored(self, node: ast.Attribute) -> ast.Attribute:
        """A store or delete, its object visited already."""
        if node in self._proven:
            return node
        if isinstance(node.value, ast.Name):
            asked = call("$write", [read_again(node.value)], node)
            node.value = if_type_in("$owned", node.value, node.value, asked)
        else:
            node.value = call("$write", [node.value], node)
        return node


def private(node: ast.Attribute) -> ast.expr:
    """The read of an attribute with one leading underscore, its object visited already."""
    named = at(ast.Constant(node.attr), node)
    if not isinstance(node.value, ast.Name):
        return call("$read", [node.value, named], node)
    asked = call("$read", [read_again(node.value), named], node)
    return if_type_in("$plain", node.value, node, asked)


def _parameters(function: _Function) -> frozenset[str]:
    spec = function.args
    return frozenset(arg.arg for arg in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs))


def _later_stores(
    statements: list[ast.stmt], parameters: frozenset[str], known: frozenset[str]
) -> Iterator[ast.Attribute]:
    """The stores to attributes of `parameters` that are reached only past another one.

    `known` are the parameters the question was answered for before `statements`. What is asked in
    a block that may be left out, or left early, counts in that block alone.
    """
    for statement in statements:
        if isinstance(statement, _SCOPES):
            continue  # a function is looked at by itself
        for store in _stores(statement):
            if not isinstance(store.value, ast.Name) or store.value.id not in parameters:
                continue
            if store.value.id in known:
                yield store
            known |= {store.value.id}
        for block in _blocks(statement):
            yield from _later_stores(block, parameters, known)


def _stores(statement: ast.stmt) -> Iterator[ast.Attribute]:
    """The attributes an assignment sets, in order: all of them, or the rest is not reached."""
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = list(statement.targets)
    elif isinstance(statement, ast.AugAssign) or (
        isinstance(statement, ast.AnnAssign) and statement.value is not None
    ):
        targets = [statement.target]
    while targets:
        target = targets.pop(0)
        if isinstance(target, ast.Attribute):
            yield target
        elif isinstance(target, ast.Tuple | ast.List):
            targets[:0] = target.elts


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The lists of statements in a compound statement."""
    for part in (statement, *getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(part, field, None)
            if block:
                yield block

"""The part of the policy that gives sets an order (`workflow.sets`, `operations.py`)."""

# ruff: noqa: N802 - the names of the methods are made of those of the nodes

from __future__ import annotations

import ast
from typing import Any

from workflow.sandbox.operations import IN_PLACE, OPERATIONS
from workflow.sandbox.textpolicy import TextPolicy
from workflow.sandbox.trees import at, call, if_type_in, read_again, type_in

__all__ = ["OrderPolicy"]

_ARITHMETIC = (ast.Mult, ast.Div, ast.FloorDiv, ast.Pow, ast.LShift, ast.RShift)
_NUMBERS = frozenset({"abs", "float", "int", "len", "ord", "round", "sum"})


def _is_number(node: ast.expr) -> bool:
    """Whether an operand can be told to be no set, no view and no text."""
    if isinstance(node, ast.Constant):
        return not isinstance(node.value, str | bytes)
    if isinstance(node, ast.UnaryOp):
        return True
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, _ARITHMETIC) or _is_number(node.left) or _is_number(node.right)
    function = node.func if isinstance(node, ast.Call) else None
    return isinstance(function, ast.Name) and function.id in _NUMBERS


def _is_plain(node: ast.expr) -> bool:
    return isinstance(node, ast.Set) and all(isinstance(item, ast.Constant) for item in node.elts)


class OrderPolicy(TextPolicy):
    """Rewrites what makes sets. What can be told to be a number or a type stays native."""

    def __init__(self) -> None:
        super().__init__()
        self._in_type = False

    def visit_type(self, node: ast.expr) -> Any:
        """Visit an annotation: its `|` combines types."""
        outside, self._in_type = self._in_type, True
        try:
            return self.visit(node)
        finally:
            self._in_type = outside

    def visit_Set(self, node: ast.Set) -> ast.AST:
        """`{a, b}`: the keys of a dict have the order."""
        self.node_contents_visit(node)
        if any(isinstance(item, ast.Starred) for item in node.elts):
            return call("$members", [at(ast.List(node.elts, ast.Load()), node)], node)
        nothing: list[ast.expr] = [at(ast.Constant(None), node) for _ in node.elts]
        return call("$set", [at(ast.Dict(list(node.elts), nothing), node)], node)

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        """`{f(x) for x in xs}`: as a display."""
        self.node_contents_visit(node)
        keys = ast.DictComp(node.elt, at(ast.Constant(None), node), node.generators)
        return call("$set", [at(keys, node)], node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """`x in {"a", "b"}` looks at no order: Python makes a constant of such a set."""
        for index, right in enumerate(node.comparators):
            if not (isinstance(node.ops[index], ast.In | ast.NotIn) and _is_plain(right)):
                node.comparators[index] = self.visit(right)
        node.left = self.visit(node.left)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """Operators that combine sets as well, and `%`, which formats."""
        sign = type(node.op).__name__
        numeric = _is_number(node.left) or _is_number(node.right)
        visited: ast.AST = super().visit_BinOp(node)
        if visited is not node or numeric or self._in_type:
            return visited
        guard = f"${sign}" if sign in OPERATIONS else "$remainder" if sign == "Mod" else ""
        if not guard:
            return node
        asked = call(guard, [node.left, node.right], node)
        if isinstance(node.left, ast.Name) and isinstance(node.right, ast.Name | ast.Constant):
            return if_type_in("$harmless", node.left, node, asked)
        return asked

    def augmented(self, node: ast.AugAssign) -> Any:
        """`x &= y` as `x = x & y` that changes `x` where it can. Gives a statement, or several."""
        sign = type(node.op).__name__
        numeric = _is_number(node.value)
        self.node_contents_visit(node)
        guard = f"$i{sign}" if sign in IN_PLACE else "$iremainder" if sign == "Mod" else ""
        if not guard or numeric:
            return node
        if not isinstance(node.target, ast.Name):
            return self._augmented_part(node, guard)
        value = call(guard, [read_again(node.target), node.value], node)
        assigned: ast.stmt = at(ast.Assign([node.target], value), node)
        if isinstance(node.value, ast.Name | ast.Constant):
            is_harmless = type_in("$harmless", node.target)
            return at(ast.If(is_harmless, [node], [assigned]), node)
        return assigned

    def _augmented_part(self, node: ast.AugAssign, guard: str) -> Any:
        """The same of `a.b` and `a[b]`, where `a` and `b` are evaluated once."""
        target: Any = node.target
        if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Slice):
            return node  # a part of a sequence
        held = {"$object": target.value}
        if isinstance(target, ast.Subscript):
            held["$key"] = target.slice
        names = {name: at(ast.Name(name, ast.Load()), node) for name in held}

        def part(context: ast.expr_context) -> ast.expr:
            if isinstance(target, ast.Subscript):
                made: Any = ast.Subscript(names["$object"], names["$key"], context)
            else:
                made = ast.Attribute(names["$object"], target.attr, context)
            return at(made, target)  # type: ignore[no-any-return]

        statements: list[ast.stmt] = [
            at(ast.Assign([at(ast.Name(name, ast.Store()), node)], value), node)
            for name, value in held.items()
        ]
        value = call(guard, [part(ast.Load()), node.value], node)
        statements.append(at(ast.Assign([part(ast.Store())], value), node))
        # Nothing is kept alive by this.
        gone = [at(ast.Name(name, ast.Del()), node) for name in held]
        statements.append(at(ast.Delete(gone), node))
        if isinstance(node.value, ast.Name):
            return at(ast.If(type_in("$numbers", node.value), [node], statements), node)
        return statements

"""The part of the policy that counts the rounds of loops, and the calls of functions that may be
called without end (`workflow.replay.limits`)."""

# ruff: noqa: N802 - the names of the methods are made of those of the nodes

from __future__ import annotations

import ast

from workflow.sandbox.recursion import MAKERS, repeated
from workflow.sandbox.storepolicy import StorePolicy
from workflow.sandbox.trees import at, call, guard

__all__ = ["LoopPolicy"]


class LoopPolicy(StorePolicy):
    """Puts the counter before the body of each loop, and into functions that may be called without
    end (`recursion.py`).

    Comprehensions are not counted: what they iterate comes out of a loop that is, ends, or fills
    the memory.
    """

    def __init__(self) -> None:
        super().__init__()
        self._repeated: frozenset[str] = frozenset()
        self.class_name = ""

    def find_repeated(self, tree: ast.AST) -> None:
        """Look through a module, not yet visited."""
        self._repeated = repeated(tree)

    def count_calls(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Put the counter into a function, visited already, if it needs one."""
        name = self.class_name if node.name in MAKERS else node.name
        if name in self._repeated:
            described = ast.get_docstring(node, clean=False) is not None
            first = int(described)
            node.body[first:first] = [
                self._counter(node),
                self._depth_counter(node),
            ]

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        """A function that is a lambda, and calls itself."""
        self.node_contents_visit(node)
        names = {getattr(part, "id", getattr(part, "attr", "")) for part in node.targets}
        if isinstance(node.value, ast.Lambda) and names & self._repeated:
            inner = node.value
            parts: list[ast.expr] = [_looked(inner.body), inner.body]
            both = at(ast.Tuple(parts, ast.Load()), inner.body)
            last = at(ast.Constant(1), inner.body)
            inner.body = at(ast.Subscript(both, last, ast.Load()), inner.body)
        return node

    def _counter(self, node: ast.stmt) -> ast.stmt:
        is_spent = call("$next", [guard("$fuel", node)], node)
        refuel = at(ast.Expr(call("$refuel", [], node)), node)
        made: ast.stmt = at(ast.If(is_spent, [refuel], []), node)
        return made

    def _depth_counter(self, node: ast.stmt) -> ast.stmt:
        made: ast.stmt = at(ast.Expr(_looked(node)), node)
        return made

    def _counted(self, node: ast.For | ast.AsyncFor | ast.While) -> ast.AST:
        self.node_contents_visit(node)
        node.body.insert(0, self._counter(node))
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        """A loop over items, which may be without end."""
        return self._counted(node)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        """As `for`: not every round has to wait."""
        return self._counted(node)

    def visit_While(self, node: ast.While) -> ast.AST:
        """The loop that may be busy for ever."""
        return self._counted(node)


def _looked(place: ast.AST) -> ast.expr:
    """A look at how deep the call is, if it is this one's turn."""
    is_due = call("$next", [guard("$look", place)], place)
    made: ast.expr = at(ast.BoolOp(ast.And(), [is_due, call("$deep", [], place)]), place)
    return made

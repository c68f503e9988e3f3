"""The part of the policy that counts the rounds of loops (`workflow.replay.limits`)."""

# ruff: noqa: N802 - the names of the methods are made of those of the nodes

from __future__ import annotations

import ast

from workflow.sandbox.storepolicy import StorePolicy
from workflow.sandbox.trees import at, call, guard

__all__ = ["LoopPolicy"]


class LoopPolicy(StorePolicy):
    """Puts the counter before the body of each loop.

    Comprehensions are not counted: what they iterate comes out of a loop that is, ends, or fills
    the memory.
    """

    def _counted(self, node: ast.For | ast.AsyncFor | ast.While) -> ast.AST:
        self.node_contents_visit(node)
        is_spent = call("$next", [guard("$fuel", node)], node)
        refuel = at(ast.Expr(call("$refuel", [], node)), node)
        node.body.insert(0, at(ast.If(is_spent, [refuel], []), node))
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

"""A class as workflow code gets it, before any text is made: with step methods that do nothing."""

from __future__ import annotations

import ast
from copy import deepcopy

from wfc.analyse.ids import marked
from wfc.model import Function, Kind, Module

__all__ = ["bare"]


def bare(module: Module, node: ast.ClassDef) -> str:
    """The text of a class of `module` without the bodies and decorators of its steps."""
    steps = {(m.node.lineno, m.node.col_offset) for m in marked([module]) if m.kind is Kind.STEP}
    if not any(node.lineno <= line <= (node.end_lineno or line) for line, _ in steps):
        return module.segment(node)
    return ast.unparse(_Emptied(steps).visit(deepcopy(node)))


class _Emptied(ast.NodeTransformer):
    def __init__(self, steps: set[tuple[int, int]]) -> None:
        self._steps = steps

    def _function(self, node: Function) -> ast.AST:
        if (node.lineno, node.col_offset) not in self._steps:
            return self.generic_visit(node)
        node.body = [ast.Pass()]
        node.decorator_list = []
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = _function  # noqa: N815

"""What may stand in an annotation of workflow code, and how it reaches the running program.

Annotations are code that others evaluate later: dataclasses, typing and pydantic read them, also
out of strings, in namespaces the policy has never seen. So they are held to a small grammar of
types, and strings in them are parsed, checked and put back as plain expressions: nothing is left
for anyone to evaluate from text.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

__all__ = ["TypeGrammar"]

Report = Callable[[ast.AST, str], None]

_SHAPES = (
    ast.Attribute,
    ast.BinOp,
    ast.BitOr,
    ast.Constant,
    ast.List,
    ast.Load,
    ast.Name,
    ast.Starred,
    ast.Subscript,
    ast.Tuple,
    ast.USub,
    ast.UnaryOp,
)


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


class TypeGrammar(ast.NodeTransformer):
    """Checks one annotation and replaces the strings in it by what they say.

    `report` is called with the node and the reason for everything refused. Names and attributes are
    not judged here: the policy visits the result like any other expression.
    """

    def __init__(self, report: Report) -> None:
        self._report = report

    def clean(self, annotation: ast.expr) -> ast.expr:
        """The annotation as an expression without text in it."""
        cleaned: ast.expr = self.visit(annotation)
        return cleaned

    def visit(self, node: ast.AST) -> Any:
        # An operator has no place of its own: what it stands in is reported.
        judged = node.op if isinstance(node, ast.BinOp | ast.UnaryOp) else node
        if not isinstance(judged, _SHAPES):
            kind = type(judged).__name__
            self._report(node, f"an annotation names a type; {kind} is not allowed in it")
            return node
        return super().visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        node.value = self.clean(node.value)
        generic = _last_name(node.value)
        if generic == "Literal":
            return node  # its strings are values
        if generic == "Annotated" and isinstance(node.slice, ast.Tuple) and node.slice.elts:
            # The metadata is ordinary code; the policy visits it.
            node.slice.elts[0] = self.clean(node.slice.elts[0])
            return node
        node.slice = self.clean(node.slice)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if not isinstance(node.value, str):
            return node
        try:
            parsed = ast.parse(node.value.strip(), mode="eval").body
        except SyntaxError:
            self._report(node, "this string annotation is not a type")
            return node
        for inner in ast.walk(parsed):
            ast.copy_location(inner, node)
        return self.clean(parsed)

"""The part of the policy that sees to the texts workflow code makes of values (`texts.py`)."""

# ruff: noqa: N802 - the names of the methods are made of those of the nodes

from __future__ import annotations

import ast

from RestrictedPython.transformer import RestrictingNodeTransformer

from workflow.sandbox.trees import at, call

__all__ = ["TextPolicy"]


def _is_converter(function: ast.expr, keyword: str | None) -> bool:
    """Whether `keyword=str` says how to make text of values, and not that text is wanted."""
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return keyword == "key" or (keyword == "default" and name in ("dumps", "JSONEncoder"))


class TextPolicy(RestrictingNodeTransformer):
    """Rewrites f-strings and `%` of a literal. What can be told to be plain text stays native."""

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        """A field of an f-string: the text of the value, made at run time."""
        self.node_contents_visit(node)
        if isinstance(node.value, ast.Constant):
            return node
        if node.conversion == -1 and node.format_spec is None:
            node.value = call("$shown", [node.value], node.value)
            return node
        spec = node.format_spec or at(ast.Constant(""), node)
        conversion = at(ast.Constant(node.conversion), node)
        node.value = call("$field", [node.value, conversion, spec], node.value)
        node.conversion, node.format_spec = -1, None
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """`str(x)` and `map(str, xs)`. `str` itself stays what it is: it is a class as well."""
        self.node_contents_visit(node)
        if isinstance(node.func, ast.Name) and node.args:
            if node.func.id == "str":
                node.args.insert(0, node.func)
                node.func = at(ast.Name("$str", ast.Load()), node.func)
            elif node.func.id == "map" and getattr(node.args[0], "id", "") == "str":
                node.args[0] = call("$maker", [node.args[0]], node.args[0])
        for keyword in node.keywords:
            if getattr(keyword.value, "id", "") == "str" and _is_converter(node.func, keyword.arg):
                keyword.value = call("$maker", [keyword.value], keyword.value)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """`"…" % values` is formatting too; every other operation is what its operands make it."""
        self.node_contents_visit(node)
        template = node.left
        literal = isinstance(template, ast.Constant) and isinstance(template.value, str)
        if isinstance(node.op, ast.Mod) and (literal or isinstance(template, ast.JoinedStr)):
            return call("$percent", [template, node.right], node)
        return node

"""The part of the policy that sees to the texts workflow code makes of values (`texts.py`)."""

# ruff: noqa: N802 - the names of the methods are made of those of the nodes

from __future__ import annotations

import ast
from typing import Any

from RestrictedPython.transformer import RestrictingNodeTransformer

from workflow.sandbox.trees import at, call, if_type_in, read_again

__all__ = ["TextPolicy"]

# What stands in these has, or may have, variables of its own.
_SCOPES = (
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.DictComp,
    ast.FunctionDef,
    ast.GeneratorExp,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
)


def _is_converter(function: ast.expr, keyword: str | None) -> bool:
    """Whether `keyword=str` says how to make text of values, and not that text is wanted."""
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return keyword == "key" or (keyword == "default" and name in ("dumps", "JSONEncoder"))


def _is_portable(spec: ast.expr | None) -> bool:
    """Whether a format specification is a constant one, and asks no number for the locale."""
    parts = spec.values if isinstance(spec, ast.JoinedStr) else [spec]
    texts = [part.value for part in parts if isinstance(part, ast.Constant)]
    return len(texts) == len(parts) and not "".join(map(str, texts)).endswith("n")


class TextPolicy(RestrictingNodeTransformer):
    """Rewrites f-strings and `%` of a literal. What can be told to be plain text stays native."""

    def __init__(self) -> None:
        super().__init__()
        self._nearby: set[ast.AST] = set()

    def find_fields(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Note the fields of f-strings that can use a local variable of a function, which is not
        visited yet."""
        nodes: list[ast.AST] = list(function.body)
        while nodes:
            node = nodes.pop()
            if isinstance(node, _SCOPES):
                continue
            if isinstance(node, ast.FormattedValue):
                self._nearby.add(node)
            nodes.extend(ast.iter_child_nodes(node))

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        """A field of an f-string: the text of the value, made at run time."""
        self.node_contents_visit(node)
        if isinstance(node.value, ast.Constant):
            return node
        if node.conversion == -1 and node.format_spec is None:
            node.value = self._text_of(node, "$shown")
            return node
        if node.conversion == -1 and _is_portable(node.format_spec):
            node.value = self._text_of(node, "$late")
            return node
        spec = node.format_spec or at(ast.Constant(""), node)
        conversion = at(ast.Constant(node.conversion), node)
        node.value = call("$field", [node.value, conversion, spec], node.value)
        node.conversion, node.format_spec = -1, None
        return node

    def _text_of(self, node: ast.FormattedValue, otherwise: str) -> ast.expr:
        """The value of a field, or what `otherwise` makes of it if its text may have to change."""
        value = node.value
        if isinstance(value, ast.Name):
            return if_type_in("$exact", value, value, call(otherwise, [read_again(value)], value))
        if node not in self._nearby:
            return call(otherwise, [value], value)
        # Text made for the field itself uses the variable as well, but is complete by then.
        local = at(ast.Name("$value", ast.Load()), value)
        made = if_type_in("$exact", local, local, call(otherwise, [read_again(local)], value))
        target = at(ast.Name("$value", ast.Store()), value)
        kind: Any = made.test
        kind.left.args[0] = at(ast.NamedExpr(target, value), value)
        return made

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """`str(x)`, and `map(str, xs)` also by another name. `str` itself stays what it is: it is a
        class as well."""
        self.node_contents_visit(node)
        if isinstance(node.func, ast.Name) and node.args:
            if node.func.id == "str":
                node.args.insert(0, node.func)
                node.func = at(ast.Name("$str", ast.Load()), node.func)
            elif node.func.id == "map" and isinstance(node.args[0], ast.Name | ast.Attribute):
                node.args[0] = call("$maker", [node.args[0]], node.args[0])
        for keyword in node.keywords:
            if isinstance(keyword.value, ast.Name) and _is_converter(node.func, keyword.arg):
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

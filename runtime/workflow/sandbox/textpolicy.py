"""The part of the policy that sees to the texts workflow code makes of values (`texts.py`)."""

# ruff: noqa: N802 - the names of the methods are made of those of the nodes

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from RestrictedPython.transformer import RestrictingNodeTransformer

from workflow.sandbox.aliases import attributes, bundled, variables
from workflow.sandbox.plain import SCOPES, bound_names, counters, is_plain
from workflow.sandbox.trees import at, call, guard, if_type_in, read_again

__all__ = ["TextPolicy"]

_REFERENCES = (ast.Attribute, ast.Name, ast.Subscript)

_CALLERS = frozenset({"accumulate", "map", "partial", "reduce", "starmap"})
"""What calls its first argument with values."""

# Expressions that may give `str`, to be called at once.
_GIVING = (ast.Await, ast.BoolOp, ast.Call, ast.IfExp, ast.NamedExpr, ast.Subscript)
_LIBRARIES = ("functools", "itertools")
_TO_JSON = ("JSONEncoder", "dumps")


def _name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _root(function: ast.expr) -> str:
    """The name that `name.other.attribute` begins with."""
    while isinstance(function, ast.Attribute):
        function = function.value
    return _name_of(function)


def _is_caller(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute) and _name_of(function.value) not in _LIBRARIES:
        return False
    return _name_of(function) in _CALLERS


def _is_converter(function: ast.expr, keyword: str | None) -> bool:
    """Whether `keyword=str` says how to make text of values, and not that text is wanted."""
    if keyword == "default":
        return _name_of(function) in _TO_JSON
    return keyword in ("fallback", "key")


def _is_str(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "str"


def _is_starred(node: ast.expr) -> bool:
    return isinstance(node, ast.Starred)


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
        self._variables: frozenset[str] = frozenset()
        self._attributes: frozenset[str] = frozenset()
        self._bundled: frozenset[str] = frozenset()
        self._taken: frozenset[str] = frozenset()
        self._numbers: frozenset[str] = frozenset()

    def find_variables(self, tree: ast.AST) -> None:
        """Look through a module, not yet visited, for what `str` can be called by."""
        self._variables = frozenset(variables(tree))
        self._attributes = frozenset(attributes(tree))
        self._bundled = frozenset(bundled(tree))
        self._taken = frozenset(bound_names(tree))

    def find_fields(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Note the fields of f-strings that can use a local variable of a function, which is not
        visited yet."""
        nodes: list[ast.AST] = list(function.body)
        while nodes:
            node = nodes.pop()
            if isinstance(node, SCOPES):
                continue
            if isinstance(node, ast.FormattedValue):
                self._nearby.add(node)
            nodes.extend(ast.iter_child_nodes(node))

    @contextmanager
    def counting(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[None]:
        """Know the variables of a function that are whole numbers while it is visited."""
        outside = self._numbers
        self._numbers |= counters(function, self._taken)
        try:
            yield
        finally:
            self._numbers = outside

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        """A field of an f-string: the text of the value, made at run time."""
        known = isinstance(node.value, ast.Constant)
        if node.conversion == -1 and (node.format_spec is None or _is_portable(node.format_spec)):
            known = known or is_plain(node.value, self._numbers, self._taken)
        self.node_contents_visit(node)
        if known:
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
        """`str(x)`, and `map(str, xs)`, also by another name. `str` itself stays what it is: it is
        a class as well."""
        self.node_contents_visit(node)
        if _is_str(node.func) and (node.args or node.keywords):
            if len(node.args) == 1 and not node.keywords and not _is_starred(node.args[0]):
                return self._text_of_one(node, node.args[0])
            node.args.insert(0, node.func)
            node.func = at(ast.Name("$str", ast.Load()), node.func)
        elif node.args or node.keywords:
            if node.args and _is_caller(node.func):
                place = int(_name_of(node.func) == "accumulate")
                if len(node.args) > place and isinstance(node.args[place], _REFERENCES):
                    node.args[place] = call("$maker", [node.args[place]], node.args[place])
            elif self._may_be_str(node.func):
                node.func = self._not_str(node.func)
        for keyword in node.keywords:
            if isinstance(keyword.value, _REFERENCES) and _is_converter(node.func, keyword.arg):
                keyword.value = call("$maker", [keyword.value], keyword.value)
        return node

    def _text_of_one(self, node: ast.Call, value: ast.expr) -> ast.expr:
        """`str(x)`, called natively if the text of `x` is the same everywhere."""
        guarded = call("$str_of", [node.func, value], node)
        if not isinstance(value, ast.Name):
            return guarded
        guarded.args[1] = read_again(value)
        return if_type_in("$exact", value, node, guarded)

    def _may_be_str(self, function: ast.expr) -> bool:
        if isinstance(function, ast.Name):
            return function.id in self._variables
        if isinstance(function, ast.Attribute):
            return function.attr in self._attributes or _root(function) in self._bundled
        return isinstance(function, _GIVING)

    def _not_str(self, function: ast.expr) -> ast.expr:
        """What is called, or what stands for `str` where that is what it is."""
        if not isinstance(function, ast.Name):
            return call("$maker", [function], function)
        is_str = at(ast.Compare(function, [ast.Is()], [guard("$text", function)]), function)
        made = ast.IfExp(is_str, guard("$maker_of_text", function), read_again(function))
        result: ast.expr = at(made, function)
        return result

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """`"…" % values` is formatting too; every other operation is what its operands make it."""
        self.node_contents_visit(node)
        template = node.left
        literal = isinstance(template, ast.Constant) and isinstance(template.value, str)
        if isinstance(node.op, ast.Mod) and (literal or isinstance(template, ast.JoinedStr)):
            return call("$percent", [template, node.right], node)
        return node

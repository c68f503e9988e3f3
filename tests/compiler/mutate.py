"""Small wrong versions of a Python file: conditions turned, branches left out, names dropped.

Each `Mutant` changes one place of the syntax tree and can take the change back, so that a file is
parsed once.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from typing import Any

__all__ = ["Mutant", "mutants"]

_OPPOSITE: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Lt: (ast.GtE, ast.LtE),
    ast.LtE: (ast.Gt, ast.Lt),
    ast.Gt: (ast.LtE, ast.GtE),
    ast.GtE: (ast.Lt, ast.Gt),
}
Function = ast.FunctionDef | ast.AsyncFunctionDef
_WORDS = re.compile(r"[A-Za-z_][\w.]*\w(\s+[A-Za-z_][\w.]*\w)+")
_NOT_MUTATED = {"RULE", "__all__"}
# The words of these are what users read; tests of their own hold them.
_TEXTS = {"Ban", "Obstacle", "Rule", "at", "note_at"}


@dataclass(frozen=True)
class Mutant:
    """One change. `label` says it in the words of the code, without line numbers."""

    line: int
    label: str
    apply: Callable[[], None]
    undo: Callable[[], None]


def mutants(tree: ast.Module) -> Iterator[Mutant]:
    """Every change of `tree`, each of which gives another program as far as text can tell."""
    seen: set[tuple[int, str]] = set()
    for scope, owner in _scopes(tree):
        for line, what, before, after, apply, undo in _changes(owner):
            label = f"{scope}: {before} → {after}" if what is None else f"{scope}: {what} {before}"
            if before != after and (line, label) not in seen:
                seen.add((line, label))
                yield Mutant(line, label, apply, undo)


_Change = tuple[int, str | None, str, str, Callable[[], None], Callable[[], None]]


def _scopes(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """The functions, and the statements outside them, with a name for each."""
    stack: list[tuple[str, ast.stmt]] = [("", s) for s in reversed(tree.body)]
    while stack:
        prefix, statement = stack.pop()
        if isinstance(statement, ast.ClassDef):
            inner = f"{prefix}{statement.name}."
            stack += [(inner, s) for s in reversed(statement.body)]
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + statement.name, statement
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            name = ast.unparse(target)
            if name not in _NOT_MUTATED and statement.value is not None:
                yield prefix + name, statement


def _changes(owner: ast.stmt) -> Iterator[_Change]:
    for node, where in _nodes(owner):
        yield from _of_node(node, where)
        for name, value in ast.iter_fields(node):
            if isinstance(value, list):
                yield from _of_list(node, name, value)


def _nodes(owner: ast.stmt) -> Iterator[tuple[ast.AST, tuple[ast.AST, str, int | None]]]:
    """What is inside, each with where it hangs; no annotations and no texts for users."""
    stack: list[tuple[ast.AST, tuple[ast.AST, str, int | None]]] = [(owner, (owner, "", None))]
    while stack:
        node, where = stack.pop()
        yield node, where
        if isinstance(node, ast.Call) and _called(node) in _TEXTS:
            continue
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "msg"):
                continue
            if isinstance(value, ast.AST):
                stack.append((value, (node, name, None)))
            elif isinstance(value, list):
                for index, item in enumerate(value):
                    if isinstance(item, ast.AST):
                        stack.append((item, (node, name, index)))


def _called(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def _of_node(node: ast.AST, where: tuple[ast.AST, str, int | None]) -> Iterator[_Change]:
    match node:
        case ast.If() | ast.While() | ast.IfExp():
            yield from _condition(node, "test", node.test)
        case ast.match_case():
            if node.guard is not None:
                yield from _condition(node, "guard", node.guard)
        case ast.comprehension():
            for index, test in enumerate(node.ifs):
                for new in _turned(test):
                    yield _item(node.ifs, index, test, new)
        case ast.BoolOp(op=op, values=values):
            for index, value in enumerate(values):
                neutral = ast.Constant(isinstance(op, ast.And))
                for new in (neutral, _negated(value)):
                    yield _item(values, index, value, new, _short(node))
        case ast.Compare(ops=ops):
            for index, old in enumerate(ops):
                for kind in _OPPOSITE[type(old)]:
                    yield _operator(node, index, kind())
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from _replaced(node, where, operand)
        case ast.BinOp(op=ast.BitOr(), left=left, right=right) if _is_type(left) and _is_type(
            right
        ):
            yield from _replaced(node, where, left)
            yield from _replaced(node, where, right)
        case ast.Call(func=ast.Name(id="any" | "all" as name) as func):
            other = "all" if name == "any" else "any"
            yield _field(func, "id", name, other, _short(node), f"{other}(…)")
        case ast.Constant(value=str(text)) if _is_table(where) and _WORDS.fullmatch(text.strip()):
            for word in text.split():
                rest = " ".join(w for w in text.split() if w != word)
                yield _field(node, "value", text, f" {rest} ", word, "", "without the name")


def _is_table(where: tuple[ast.AST, str, int | None]) -> bool:
    """Whether a text stands where a list of names does: on its own, or before `.split()`."""
    holder, name, _ = where
    is_pair = isinstance(holder, ast.Tuple) and len(holder.elts) == 2
    return is_pair or (
        isinstance(holder, ast.Assign | ast.Attribute | ast.JoinedStr)
        and (name in ("value", "values"))
    )


def _of_list(node: ast.AST, name: str, items: list[ast.AST]) -> Iterator[_Change]:
    if name == "body" and isinstance(node, ast.stmt | ast.match_case | ast.ExceptHandler):
        for index, statement in enumerate(items):
            is_doc = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            if is_doc or (isinstance(node, Function) and statement is items[-1] and _no(statement)):
                continue
            if _is_act(statement):
                yield _item(items, index, statement, ast.Pass(), what="without")
    elif name in ("orelse", "finalbody"):
        for index, statement in enumerate(items):
            if isinstance(statement, ast.stmt) and _is_act(statement):
                yield _item(items, index, statement, ast.Pass(), what="without")
    elif name == "patterns" and isinstance(node, ast.MatchOr):
        for index, item in enumerate(items):
            # The other one twice: a pattern of one alternative cannot be written.
            yield _item(items, index, item, copy(items[index - 1]), what="without the alternative")
    elif name == "cases" and len(items) > 1:
        for index, item in enumerate(items):
            yield _dropped(items, index, item)
    elif isinstance(node, ast.MatchClass) and name == "kwd_patterns":
        for index, item in enumerate(items):
            if not any(getattr(n, "name", None) for n in ast.walk(item)):
                yield _open_pattern(node, index)
    elif name in ("elts", "keys") and items and all(_is_name(item) for item in items):
        for index, item in enumerate(items):
            if isinstance(node, ast.Dict):
                yield _entry(node, index)
            elif not (isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Store)):
                yield _dropped(items, index, item)


def _no(statement: ast.AST) -> bool:
    """Whether it returns what a function without it returns, as far as conditions see it."""
    match statement:
        case ast.Return(value=None | ast.Constant(value=None | False)):
            return True
    return False


def _is_act(statement: ast.AST) -> bool:
    return isinstance(
        statement, ast.Return | ast.Continue | ast.Break | ast.Raise | ast.Expr | ast.AugAssign
    )


def _is_name(item: ast.AST) -> bool:
    return isinstance(item, ast.Constant) and isinstance(item.value, str)


def _is_type(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_type(node.left) and _is_type(node.right)
    return isinstance(node, ast.Attribute | ast.Name)


def _condition(node: ast.AST, name: str, test: ast.expr) -> Iterator[_Change]:
    for new in _turned(test):
        if not (isinstance(node, ast.While) and _is(new, True)):
            yield _field(node, name, test, new, _short(test), _short(new))


def _turned(test: ast.expr) -> Iterator[ast.expr]:
    if not isinstance(test, ast.Compare) or len(test.ops) > 1:
        yield _negated(test)
    for value in (True, False):
        if not _is(test, value):
            yield ast.Constant(value)


def _is(node: ast.expr, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _negated(test: ast.expr) -> ast.expr:
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    return ast.UnaryOp(ast.Not(), test)


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 90 else text[:87] + "…"


def _field(
    node: ast.AST,
    name: str,
    old: object,
    new: object,
    before: str,
    after: str,
    what: str | None = None,
) -> _Change:
    return (
        getattr(node, "lineno", getattr(old, "lineno", 0)),
        what,
        before,
        after,
        lambda: setattr(node, name, new),
        lambda: setattr(node, name, old),
    )


def _item(
    items: Any,
    index: int,
    old: ast.AST,
    new: ast.AST,
    within: str = "",
    what: str | None = None,
) -> _Change:
    new = ast.fix_missing_locations(ast.copy_location(new, old))
    return (
        getattr(old, "lineno", 0),
        what,
        _short(old) + (f" (in {within})" if within else ""),
        _short(new),
        lambda: items.__setitem__(index, new),
        lambda: items.__setitem__(index, old),
    )


def _dropped(items: list[ast.AST], index: int, old: ast.AST) -> _Change:
    return (
        _line(old),
        "without",
        _case(old) if isinstance(old, ast.match_case) else _short(old),
        "",
        lambda: items.__delitem__(index),
        lambda: items.insert(index, old),
    )


def _line(node: ast.AST) -> int:
    return getattr(node, "lineno", getattr(getattr(node, "pattern", None), "lineno", 0))


def _case(case: ast.match_case) -> str:
    guard = f" if {_short(case.guard)}" if case.guard is not None else ""
    return f"case {_short(case.pattern)}{guard}"


def _entry(node: ast.Dict, index: int) -> _Change:
    key, value = node.keys[index], node.values[index]
    assert key is not None

    def apply() -> None:
        del node.keys[index], node.values[index]

    def undo() -> None:
        node.keys.insert(index, key)
        node.values.insert(index, value)

    return key.lineno, "without the entry", _short(key), "", apply, undo


def _open_pattern(node: ast.MatchClass, index: int) -> _Change:
    name, pattern = node.kwd_attrs[index], node.kwd_patterns[index]

    def apply() -> None:
        del node.kwd_attrs[index], node.kwd_patterns[index]

    def undo() -> None:
        node.kwd_attrs.insert(index, name)
        node.kwd_patterns.insert(index, pattern)

    before = f"{name}={_short(pattern)} in {_short(node)}"
    return node.lineno, "without", before, "", apply, undo


def _operator(node: ast.Compare, index: int, new: ast.cmpop) -> _Change:
    old, before = node.ops[index], _short(node)
    node.ops[index] = new
    after = _short(node)
    node.ops[index] = old

    def put(op: ast.cmpop) -> Callable[[], None]:
        return lambda: node.ops.__setitem__(index, op)

    return node.lineno, None, before, after, put(new), put(old)


def _replaced(
    node: ast.expr, where: tuple[ast.AST, str, int | None], new: ast.expr
) -> Iterator[_Change]:
    holder, name, index = where
    if index is None:
        yield _field(holder, name, node, new, _short(node), _short(new))
    else:
        yield _item(getattr(holder, name), index, node, new)

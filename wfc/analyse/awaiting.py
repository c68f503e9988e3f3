"""What becomes of the value of a call that has to be awaited.

A value is followed through names and plain expressions of the function it is made in. Where it
leaves them (into a container, an attribute, a call of the project's own code) somebody else may
await it, and nothing is claimed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from weakref import WeakKeyDictionary

from wfc.model import Function, Program
from wfc.nodes import children, walk

__all__ = ["Fate", "Fates", "parents_in_workflow", "parents_of"]

_OPERATORS = (
    ast.Compare
    | ast.BinOp
    | ast.UnaryOp
    | ast.FormattedValue
    | ast.Attribute
    | ast.Subscript
    | ast.AugAssign
    | ast.For
    | ast.If
    | ast.While
    | ast.Assert
    | ast.Match
    | ast.match_case
    | ast.comprehension
)
_OF_COROUTINES = {"__await__", "close", "send", "throw"}
_SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Fate(Enum):
    """What a value ends as."""

    AWAITED = auto()  # or out of sight
    DROPPED = auto()  # a statement of its own
    FORGOTTEN = auto()  # in a name that is never read
    PLAIN = auto()  # used like the result it is not
    RETURNED = auto()  # the result of the function


@dataclass
class Fates:
    """The fates of values in one top-level statement.

    `takes_plain` says whether a call does with its arguments what one does with results.
    """

    parents: Mapping[ast.AST, ast.AST]
    takes_plain: Callable[[ast.Call], bool]
    _names: set[str] = field(default_factory=set)

    def of(self, value: ast.expr) -> tuple[Fate, str]:
        """The fate of `value`, and the name it was kept in, if it was."""
        self._names.clear()
        return self._of(value)

    def function_of(self, node: ast.AST) -> ast.AST | None:
        """The function or lambda around a node."""
        while (around := self.parents.get(node)) is not None:
            if isinstance(around, _SCOPES):
                return around
            node = around
        return None

    def _of(self, value: ast.expr) -> tuple[Fate, str]:
        parent = self.parents.get(value)
        match parent:
            case ast.Expr():
                return Fate.DROPPED, ""
            case ast.Return():
                return Fate.RETURNED, ""
            case ast.Assign(targets=targets):
                return self._stored(targets)
            case ast.AnnAssign(target=target):
                return self._stored([target])
            case ast.NamedExpr(target=target):
                fates = (self._of(parent), self._stored([target]))
                return min(fates, key=lambda fate: fate[0].value)
            case ast.Tuple() if isinstance(outer := self.parents.get(parent), ast.Assign):
                return self._stored([_opposite(t, parent, value) for t in outer.targets])
            case ast.ListComp(elt=item) | ast.SetComp(elt=item) | ast.GeneratorExp(elt=item) if (
                item is value
            ):
                return self._collected(parent)
            case ast.List() | ast.Tuple() | ast.Set() | ast.Dict():
                return self._collected(parent)
            case ast.BoolOp():
                return self._of(parent)
            case ast.IfExp(test=test) if test is not value:
                return self._of(parent)
            case ast.IfExp():
                return Fate.PLAIN, ""
            case ast.Call(func=func) if func is not value and self.takes_plain(parent):
                return Fate.PLAIN, ""
            case ast.keyword() if isinstance(around := self.parents.get(parent), ast.Call):
                return (Fate.PLAIN if self.takes_plain(around) else Fate.AWAITED), ""
            case ast.Subscript(slice=key) | ast.For(target=key) if key is value:
                return Fate.AWAITED, ""
            case ast.Attribute(attr=attr) if attr in _OF_COROUTINES:
                return Fate.AWAITED, ""  # somebody knows that it is a coroutine
            case _ if isinstance(parent, _OPERATORS):
                return Fate.PLAIN, ""
        return Fate.AWAITED, ""

    def _collected(self, container: ast.expr) -> tuple[Fate, str]:
        """The fate of an item: only where nobody looks at the container, or it is what comes of the
        function, it is certain."""
        found = self._of(container)
        is_certain = found[0] in (Fate.DROPPED, Fate.FORGOTTEN, Fate.RETURNED)
        return found if is_certain else (Fate.AWAITED, "")

    def _stored(self, targets: list[ast.expr]) -> tuple[Fate, str]:
        found: tuple[Fate, str] = (Fate.FORGOTTEN, "")
        for target in targets:
            if isinstance(target, ast.Tuple | ast.List) and isinstance(target.ctx, ast.Store):
                found = (Fate.PLAIN, "")
                continue
            if not isinstance(target, ast.Name):
                return Fate.AWAITED, ""
            if target.id in self._names:
                continue
            self._names.add(target.id)
            fate = self._kept_in(target)
            if fate is Fate.AWAITED:
                return fate, ""
            found = (fate if fate is not Fate.FORGOTTEN else found[0], found[1] or target.id)
        return found

    def _kept_in(self, target: ast.Name) -> Fate:
        function = self.function_of(target)
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            return Fate.AWAITED  # a global, or a class attribute: anybody may read it
        worst = Fate.FORGOTTEN
        for node in walk(function):
            if isinstance(node, ast.Global | ast.Nonlocal) and target.id in node.names:
                return Fate.AWAITED
            if not (isinstance(node, ast.Name) and node.id == target.id):
                continue
            if not isinstance(node.ctx, ast.Load):
                continue
            if self.function_of(node) is not function:
                return Fate.AWAITED
            fate = self._of(node)[0]
            if fate is Fate.AWAITED:
                return fate
            if worst is not Fate.RETURNED and fate is not Fate.FORGOTTEN:
                worst = fate
        return worst


def _opposite(target: ast.expr, values: ast.Tuple, value: ast.expr) -> ast.expr:
    """What `value` out of `values` is assigned to in `target = values`; else `values`."""
    if (
        isinstance(target, ast.Tuple | ast.List)
        and len(target.elts) == len(values.elts)
        and not any(isinstance(e, ast.Starred) for e in [*target.elts, *values.elts])
    ):
        return target.elts[values.elts.index(value)]
    return values


_Parents = dict[ast.AST, ast.AST]
_CACHE: WeakKeyDictionary[Program, dict[ast.stmt, _Parents]] = WeakKeyDictionary()


def parents_in_workflow(program: Program, statement: ast.stmt) -> _Parents:
    """The parents in the part of a kept statement that runs as part of a workflow."""
    known = _CACHE.setdefault(program, {})
    if statement not in known:
        known[statement] = parents_of(statement, program.elsewhere)
    return known[statement]


def parents_of(statement: ast.stmt, leave_out: frozenset[Function]) -> dict[ast.AST, ast.AST]:
    """The parent of every node of a statement; the functions in `leave_out` are not entered."""
    found: dict[ast.AST, ast.AST] = {}
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        for child in children(node):
            if child not in leave_out:
                found[child] = node
                stack.append(child)
    return found

"""What the rules about sets share: which expressions have no order of their own, and where that
matters.

Python goes through a set in the order of hashes. Numbers hash to the same in every process, and
tasks do in a workflow; text and most other values do not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from wfc.analyse.type_values import SETS, Type, element
from wfc.analyse.types import types_of
from wfc.diagnostics import Diagnostic, Severity
from wfc.model import External, Function, Kind, Marked, Module, Program

__all__ = ["is_durable", "lowered", "order_matters", "unordered"]

_STEADY = frozenset(
    """
    builtins.int builtins.float builtins.bool builtins.complex decimal.Decimal fractions.Fraction
    uuid.UUID asyncio.Task asyncio.Future datetime.timedelta
    """.split()  # noqa: SIM905 - a list of ten would take ten lines
)
_UNSTEADY = frozenset(
    """
    builtins.str builtins.bytes datetime.datetime datetime.date datetime.time coroutine
    pathlib.Path
    """.split()  # noqa: SIM905 - as above
)
_ANY_ORDER = frozenset(
    {"all", "any", "bool", "frozenset", "len", "max", "min", "set", "sorted", "sum"}
)
_ANY_ORDER_ELSEWHERE = frozenset({"collections.Counter", "math.fsum", "random.seed"})


def unordered(program: Program, module: Module, node: ast.expr) -> Severity | None:
    """`ERROR` if going through `node` gives another order in another process, `WARNING` if that
    depends on items nothing is known about; None if it is no set, or one of numbers or tasks."""
    found = types_of(program).type(module, node)
    if found is None or found.name not in SETS:
        return None
    match _steady(element(found)):
        case True:
            return None
        case False:
            return Severity.ERROR
    return Severity.WARNING


def _steady(item: Type | None) -> bool | None:
    """Whether the hash of an item is the same in every process; None if that is not known."""
    if item is None:
        return None
    if item.name == "builtins.tuple" and item.fixed:
        parts = [_steady(part) for part in item.items]
        return False if False in parts else None if None in parts else True
    if item.name in _STEADY:
        return True
    return False if item.name in _UNSTEADY else None


def lowered(diagnostic: Diagnostic, severity: Severity) -> Diagnostic:
    """The same finding with another severity."""
    return replace(diagnostic, severity=severity)


def is_durable(program: Program, node: ast.AST) -> bool:
    """Whether a node awaits something, or calls a step or starts a task."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Await | ast.AsyncFor | ast.AsyncWith):
            return True
        if isinstance(inner, ast.Call):
            match program.reach.meaning.get(inner.func):
                case Marked(kind=Kind.STEP):
                    return True
                case External(module="asyncio", member="create_task" | "ensure_future"):
                    return True
                case None if isinstance(inner.func, ast.Attribute):
                    if inner.func.attr == "create_task":
                        return True
    return False


def order_matters(program: Program, module: Module, node: ast.expr) -> bool:
    """Whether what takes the value of `node` cares for the order of its items."""
    around = types_of(program).parents(module)
    parent = around.get(node)
    while isinstance(parent, ast.Starred | ast.IfExp | ast.NamedExpr | ast.keyword):
        node, parent = parent, around.get(parent)  # type: ignore[assignment]
    match parent:
        case ast.Call(func=func) if func is not node:
            return not _takes_any_order(program, module, func)
        case ast.Compare(ops=[ast.In() | ast.NotIn()]):
            return False
        case ast.Set() | ast.SetComp() | ast.Expr():
            return False
        case ast.For(iter=iterated, body=body) if iterated is node:
            return any(is_durable(program, s) for s in body) or _keeps_order(
                program, module, parent
            )
        case ast.comprehension():
            outer = around.get(parent)
            if isinstance(outer, ast.SetComp | ast.DictComp):
                return is_durable(program, outer)
            return isinstance(outer, ast.expr) and order_matters(program, module, outer)
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name not in _sorted_later(program, module, parent)
    return True


def _takes_any_order(program: Program, module: Module, func: ast.expr) -> bool:
    match types_of(program).target(module, func):
        case External(module="builtins", member=str(name), rest=()):
            return name in _ANY_ORDER
        case External() as outside:
            return str(outside) in _ANY_ORDER_ELSEWHERE
    if isinstance(func, ast.Attribute):
        owner = types_of(program).of(module, func.value)
        return owner in SETS or (owner is None and func.attr in _OF_SETS)
    return False


_OF_SETS = frozenset({"difference", "intersection", "issubset", "issuperset", "isdisjoint"})


def _keeps_order(program: Program, module: Module, loop: ast.For) -> bool:
    """Whether a loop hands on the order it goes in: builds a list, or stops at the first."""
    later = _sorted_later(program, module, loop)
    for statement in loop.body:
        for node in ast.walk(statement):
            match node:
                case ast.Call(func=ast.Attribute(value=owner, attr="append" | "extend" | "insert")):
                    if not (isinstance(owner, ast.Name) and owner.id in later):
                        return True
                case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
                    return True
                case ast.Yield() | ast.Break():
                    return True
    return False


def _sorted_later(program: Program, module: Module, node: ast.AST) -> set[str]:
    """The names that the function around `node` sorts somewhere."""
    around = types_of(program).parents(module)
    while node in around and not isinstance(node, Function):
        node = around[node]
    return set(_sorted_in(node))


def _sorted_in(function: ast.AST) -> Iterator[str]:
    for node in ast.walk(function):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="sort")):
                yield name
            case ast.Call(func=ast.Name(id="sorted" | "set"), args=[ast.Name(id=name), *_]):
                yield name

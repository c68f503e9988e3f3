"""Which names the sandbox refuses, sorted by the rule that speaks about them.

The sandbox has the tables; here they get words. What no rule names stays with `not_in_sandbox`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from enum import Enum, auto

from wfc.analyse.functions import own_nodes
from wfc.model import Module, Program

__all__ = ["About", "about", "bound", "uses"]

_FRAMES = ("ag_", "co_", "cr_", "f_", "gi_", "tb_")
_ON_THE_WAY = {"__code__", "__traceback__", "get_stack", "print_stack", "with_traceback"}


class About(Enum):
    """What a refused name is about."""

    FRAMES = auto()
    INTERNALS = auto()
    MANGLED = auto()  # two underscores in front, none behind
    OWN = auto()  # underscores on both sides, of a variable that the code itself gives a value


def about(name: str) -> About | None:
    """What a name is about that the sandbox refuses as an attribute; None if it does not."""
    from workflow.sandbox import names

    if name in names.FORBIDDEN or name in _ON_THE_WAY:
        is_frame = name.startswith(_FRAMES) or name in _ON_THE_WAY
        return About.FRAMES if is_frame else About.INTERNALS
    if not names.is_dunder(name) or name in names.READABLE_DUNDERS:
        return None
    return About.INTERNALS if name.endswith("__") else About.MANGLED


def uses(program: Program, what: About) -> Iterator[tuple[Module, ast.AST, str]]:
    """The attributes and variables in workflow code that are about `what`, as (module, place,
    name)."""
    taken: frozenset[ast.AST] | None = None
    for module, node, name in _named(program, what):
        if name.endswith("__"):
            taken = _admitted(program) if taken is None else taken
            if node in taken:
                continue
        yield module, node, name


def _named(program: Program, what: About) -> Iterator[tuple[Module, ast.AST, str]]:
    own: set[tuple[Module, str]] | None = None
    for module, node in program.workflow_code():
        match node:
            case ast.Attribute(attr=name) if not _asks_super(node):
                # Of `error.__traceback__.tb_frame` the first is enough: the rest goes with it.
                inner = about(node.value.attr) if isinstance(node.value, ast.Attribute) else None
                if inner is None and about(name) is what:
                    yield module, node, name
            case ast.Name(id=name) if name.startswith("__"):
                said = about(name)
                if said is not About.MANGLED:
                    if said is None or name == "__import__" or not _is_read(node):
                        continue  # that one is what WF704 is about
                    if own is None:
                        own = _own(program)
                    said = About.OWN if (module, name) in own else said
                if said is what:
                    yield module, node, name


def _admitted(program: Program) -> frozenset[ast.AST]:
    """What the sandbox takes of such names: `__radd__ = __add__` in a class,
    `object.__setattr__(self, name, value)`, `x.__await__()`, asking for the class of `x`,
    `Base.__init__(self)`, and the special methods of variables, whose objects decide."""
    from workflow.sandbox.names import DEFINABLE_DUNDERS
    from workflow.sandbox.specials import calls_of_bases, is_special_read
    from workflow.sandbox.trees import awaiting, class_reads, is_placing

    found: set[ast.AST] = set()
    for _, node in program.workflow_code():
        found.update(class_reads(node))
        if isinstance(node, ast.Call):
            if is_placing(node) or awaiting(node) is not None:
                found.add(node.func)
        elif isinstance(node, ast.Attribute):
            if is_special_read(node):
                found.add(node)
        elif isinstance(node, ast.ClassDef):
            found.update(each.func for each in calls_of_bases(node))
            found.update(
                part
                for part in own_nodes(node.body)
                if isinstance(part, ast.Name) and part.id in DEFINABLE_DUNDERS
            )
    return frozenset(found)


def bound(node: ast.AST) -> Iterator[str]:
    """The names that a node binds, but for the mangled variables that are found as uses."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.arg(arg=name):
            yield name
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name
        case ast.alias(asname=str(name)):
            yield name
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            yield name
        case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
            yield name


def _own(program: Program) -> set[tuple[Module, str]]:
    return {
        (module, name)
        for module, node in program.workflow_code()
        for name in bound(node)
        if name.startswith("__")
    }


def _is_read(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Load)


def _asks_super(node: ast.Attribute) -> bool:
    match node.value:
        case ast.Call(func=ast.Name(id="super")):
            from workflow.sandbox import names

            return node.attr in names.CALLABLE_ON_SUPER
    return False

"""Which names the sandbox refuses, sorted by the rule that speaks about them.

The sandbox has the tables; here they get words. What no rule names stays with `not_in_sandbox`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from enum import Enum, auto

from wfc.model import Module, Program

__all__ = ["About", "about", "uses"]

_FRAMES = ("ag_", "co_", "cr_", "f_", "gi_", "tb_")
# The one may be read, the other is what WF704 is about.
_SPOKEN_OF = ("__name__", "__import__")
_ON_THE_WAY = {"__code__", "__traceback__", "get_stack", "print_stack", "with_traceback"}


class About(Enum):
    """What a refused name is about."""

    FRAMES = auto()
    INTERNALS = auto()
    MANGLED = auto()  # two underscores in front, none behind


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
    for module, node in program.workflow_code():
        match node:
            case ast.Attribute(attr=name) if not _asks_super(node):
                # Of `error.__traceback__.tb_frame` the first is enough: the rest goes with it.
                inner = about(node.value.attr) if isinstance(node.value, ast.Attribute) else None
                if inner is None and about(name) is what:
                    yield module, node, name
            case ast.Name(id=name) if name.startswith("__") and name not in _SPOKEN_OF:
                if about(name) is what and (what is About.MANGLED or _is_read(node)):
                    yield module, node, name


def _is_read(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Load)


def _asks_super(node: ast.Attribute) -> bool:
    match node.value:
        case ast.Call(func=ast.Name(id="super")):
            from workflow.sandbox import names

            return node.attr in names.CALLABLE_ON_SUPER
    return False

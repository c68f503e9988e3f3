"""Making syntax nodes that stand where another node stood."""

from __future__ import annotations

import ast
from typing import Any

__all__ = ["at", "call", "no_arguments"]


def at(node: Any, place: ast.AST) -> Any:
    """Return `node` with the position of `place`."""
    return ast.copy_location(node, place)


def call(guard: str, args: list[ast.expr], place: ast.AST) -> ast.Call:
    """A call of a guard, whose name is no identifier."""
    function = at(ast.Name(guard, ast.Load()), place)
    made: ast.Call = at(ast.Call(function, args, []), place)
    return made


def no_arguments() -> ast.arguments:
    """The arguments of `lambda: …`."""
    return ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])

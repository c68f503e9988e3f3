"""Making syntax nodes that stand where another node stood."""

from __future__ import annotations

import ast
from typing import Any

__all__ = ["at", "awaiting", "call", "is_placing", "no_arguments"]


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


def is_placing(node: ast.AST) -> bool:
    """Whether it is `object.__setattr__(self, name, value)`, which frozen dataclasses write."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="object"), attr="__setattr__"),
            args=[_, _, _] as args,
            keywords=[],
        ):
            return not any(isinstance(arg, ast.Starred) for arg in args)
    return False


def awaiting(node: ast.AST) -> ast.expr | None:
    """The `x` of `x.__await__()`, which classes write that can be awaited."""
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr="__await__"), args=[], keywords=[]):
            return value
    return None

"""Which values cannot be written to the log, as far as the text of an expression shows it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.boundary import Boundary, Found, Obstacle
from wfc.model import Module

__all__ = ["unrecordable"]

_GENERATOR = Found(
    "a generator", Obstacle("which is gone once it is read", "Use a list: `[... for ...]`.")
)
_LAMBDA = Found("a lambda", Obstacle("which is code", "Use its result, or what it works with."))


def unrecordable(
    boundary: Boundary, module: Module, value: ast.expr
) -> Iterator[tuple[ast.expr, Found]]:
    """The parts of a value that cannot be recorded: literals and what is made in place.

    Looks into lists, tuples, sets and dictionaries, and at both sides of a choice. What an
    un-awaited call gives has a rule of its own.
    """
    match value:
        case ast.Lambda():
            yield value, _LAMBDA
        case ast.GeneratorExp(generators=clauses):
            if not any(clause.is_async for clause in clauses):  # else a step's is a stream
                yield value, _GENERATOR
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            for part in parts:
                yield from unrecordable(boundary, module, part)
        case ast.Dict(keys=keys, values=values):
            for part in (*filter(None, keys), *values):
                yield from unrecordable(boundary, module, part)
        case ast.IfExp(body=first, orelse=second):
            yield from unrecordable(boundary, module, first)
            yield from unrecordable(boundary, module, second)
        case ast.Name():
            found = boundary.of_value(module, value)
            if found is not None and found.type != "coroutine":
                yield value, found
        case ast.Call() if (found := boundary.made(module, value)) is not None:
            yield value, found

"""Where a comment about a statement may stand.

On the line it is about, or on the first or the last line of the statement around it. Of a statement
with a block, such as `if`, only the head counts.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from wfc.model import Module

__all__ = ["comment_lines"]


def comment_lines(module: Module, line: int) -> list[int]:
    """The lines on which an ignore comment works for what is at `line`, nearest first; none where
    the file has no such comments."""
    if not module.ignores:
        return []
    statement = _statement(module.tree.body, line)
    if statement is None:
        return [line]
    return list(dict.fromkeys([line, statement.lineno, _end(module, statement)]))


def _statement(body: Sequence[ast.stmt], line: int) -> ast.stmt | None:
    """The innermost statement that a line belongs to."""
    for statement in body:
        if _first(statement) <= line <= (statement.end_lineno or statement.lineno):
            for block in _blocks(statement):
                if inner := _statement(block, line):
                    return inner
            return statement
    return None


def _first(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(d.lineno for d in decorators)])


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for field in ("body", "orelse", "finalbody"):
        yield getattr(statement, field, [])
    for field in ("handlers", "cases"):
        for part in getattr(statement, field, []):
            yield part.body


def _end(module: Module, statement: ast.stmt) -> int:
    """The last line of a statement, or of its head if it has a block."""
    inner = [_first(block[0]) for block in _blocks(statement) if block]
    if not inner:
        return statement.end_lineno or statement.lineno
    for line in range(min(inner) - 1, statement.lineno, -1):
        text = module.lines[line - 1].strip()
        if text and not text.startswith("#"):
            return line
    return statement.lineno

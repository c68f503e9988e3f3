"""Comments that stand where a directive would: `# use step` is none, whatever was meant."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wfc.diagnostics import Span
from wfc.model import Module, Place
from wfc.nodes import walk

__all__ = ["Commented", "commented"]

_MENTIONS = re.compile(
    r"#[ \t]*use[ \t]+(step|workflow)[ \t]*\.?[ \t]*$", re.IGNORECASE | re.MULTILINE
)


@dataclass(frozen=True)
class Commented:
    """Such a comment, with its word: "step" or "workflow". `in_place` says that the directive could
    stand where the comment does: on a line of its own and not above the docstring."""

    span: Span
    word: str
    in_place: bool


def commented(module: Module) -> Iterator[Commented]:
    """Such comments, by function.

    They stand on the last line of a function's head or directly above its first statement, the
    docstring aside, or so at the top of the file. A function or file with a directive may say what
    it likes.
    """
    if not _MENTIONS.search(module.text):
        return
    marked = {s.function for s in module.sightings if s.place in (Place.FUNCTION, Place.MODULE)}
    if None in marked:
        return
    yield from _between(module, 0, module.tree.body)
    for node in walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node not in marked:
            yield from _between(module, node.lineno, node.body)


def _between(module: Module, head: int, body: Sequence[ast.stmt]) -> Iterator[Commented]:
    start = max(head, 1)
    for statement in body[:2]:
        for line in range(start, _first_line(statement)):
            if match := _MENTIONS.search(module.lines[line - 1]):
                span = Span(line, match.start() + 1, line, match.end() + 1)
                in_place = not match.string[: match.start()].strip() and not _is_text(statement)
                yield Commented(span, match[1].lower(), in_place)
        if not _is_text(statement):
            return
        start = (statement.end_lineno or statement.lineno) + 1


def _first_line(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(d.lineno for d in decorators)])


def _is_text(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
    return False

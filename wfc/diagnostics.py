"""What the compiler tells the user: a `Diagnostic` is data, `wfc.render` makes text of it.

A `Rule` is one kind of finding with its page and its examples; every rule lives in its own file
under `wfc/analyse/checks/`. User mistakes are never exceptions, so that one build reports all.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

__all__ = [
    "Diagnostic",
    "Edit",
    "Note",
    "Rule",
    "Severity",
    "Silenced",
    "Source",
    "Span",
    "exact_span",
    "inserting",
    "note_at",
    "replacing",
    "span_of",
]


class Severity(StrEnum):
    """`ERROR` stops the build, the other two do not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, order=True)
class Span:
    """A piece of a file. Lines and columns count characters from 1; `end_column` is exclusive.

    Lines are those of Python: they end with a line feed, a carriage return, or both.
    """

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True)
class Note:
    """A second place that belongs to a finding, such as the import behind a use.

    With a `span` it is shown with its source line and a caret, as `note_at` makes it.
    """

    path: str
    line: int
    text: str
    span: Span | None = None
    source_line: str = ""


@dataclass(frozen=True)
class Edit:
    """A safe change that mends a finding: replace `span` of the finding's file by `text`.

    Safe means that what runs afterwards is what the user meant and nothing else changes. An empty
    span inserts.
    """

    span: Span
    text: str


@dataclass(frozen=True)
class Diagnostic:
    """One finding. `message` says what and why, `fix` what to write instead."""

    code: str
    name: str
    severity: Severity
    path: str
    span: Span
    source_line: str
    message: str
    fix: str
    notes: tuple[Note, ...] = ()
    edits: tuple[Edit, ...] = ()

    @property
    def sort_key(self) -> tuple[str, Span, str, str]:
        """Order of reporting: by file, then place, then code."""
        return (self.path, self.span, self.code, self.message)


@dataclass(frozen=True)
class Silenced:
    """A finding that a `# wfc: ignore[CODE] reason` comment took out, with the reason given."""

    diagnostic: Diagnostic
    reason: str


class Source(Protocol):
    """What a rule needs of a file to point into it."""

    @property
    def path(self) -> str: ...
    @property
    def lines(self) -> tuple[str, ...]: ...


Place = ast.AST | Span | int


# Of these the first line says what they are; marking all they contain would say nothing.
_BLOCKS = (
    ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.If | ast.For | ast.AsyncFor
    | ast.While | ast.With | ast.AsyncWith | ast.Try | ast.TryStar | ast.Match | ast.ExceptHandler
)  # fmt: skip


def span_of(source: Source, place: Place) -> Span:
    """The span of an ast node, or of a whole line; a node that holds a block ends with its first
    line."""
    if isinstance(place, Span):
        return place
    if isinstance(place, int):
        text = _line(source, place)
        return Span(place, len(text) - len(text.lstrip()) + 1, place, len(text.rstrip()) + 1)
    span = exact_span(source, place)
    if not isinstance(place, _BLOCKS):
        return span
    text = _line(source, span.line)
    return Span(span.line, span.column, span.line, max(len(text.rstrip()), span.column) + 1)


def exact_span(source: Source, node: ast.AST) -> Span:
    """All of an ast node, with the statements in it."""
    line: int = getattr(node, "lineno", 1)
    end_line: int = getattr(node, "end_lineno", None) or line
    start = _column(_line(source, line), getattr(node, "col_offset", 0))
    end = _column(_line(source, end_line), getattr(node, "end_col_offset", None) or 0)
    return Span(line, start, end_line, max(end, start + 1) if end_line == line else end)


def replacing(source: Source, node: ast.expr, text: str) -> tuple[Edit, ...]:
    """The edit that puts `text` in the place of an expression; none if its place is not certain.

    Python 3.11 does not know exactly where the parts of an f-string are.
    """
    span = exact_span(source, node)
    return (Edit(span, text),) if _is_there(source, span, node) else ()


def inserting(source: Source, node: ast.expr, before: str, after: str = "") -> tuple[Edit, ...]:
    """The edits that put text before and after an expression; none if its place is not certain."""
    span = exact_span(source, node)
    if not _is_there(source, span, node):
        return ()
    start = Span(span.line, span.column, span.line, span.column)
    end = Span(span.end_line, span.end_column, span.end_line, span.end_column)
    return (Edit(start, before),) + ((Edit(end, after),) if after else ())


def _is_there(source: Source, span: Span, node: ast.expr) -> bool:
    lines = list(source.lines[span.line - 1 : span.end_line])
    if not lines:
        return False
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    try:
        again = ast.parse("(" + "\n".join(lines) + "\n)", mode="eval").body
    except (SyntaxError, ValueError):
        return False
    # As text, because a name that is assigned to differs from one that is read.
    return ast.unparse(again) == ast.unparse(node)


def note_at(source: Source, place: Place, text: str) -> Note:
    """A note that is shown with its own source line and caret."""
    span = span_of(source, place)
    return Note(source.path, span.line, text, span, _line(source, span.line))


def _line(source: Source, line: int) -> str:
    return source.lines[line - 1] if 0 < line <= len(source.lines) else ""


def _column(text: str, offset: int) -> int:
    # The parser counts UTF-8 bytes, people and editors count characters.
    return len(text.encode()[:offset].decode(errors="ignore")) + 1


@dataclass(frozen=True)
class Rule:
    """One kind of finding: its code, its page and the examples that the tests run.

    `bad` and `good` are a module's text, or several files by path. `silenceable` is false where
    nothing could be built from the code as it stands.
    """

    code: str
    name: str
    severity: Severity
    page: str
    bad: str | Mapping[str, str]
    good: str | Mapping[str, str]
    silenceable: bool = True

    def at(
        self,
        source: Source,
        place: Place,
        message: str,
        fix: str,
        notes: Iterable[Note] = (),
        edits: Iterable[Edit] = (),
    ) -> Diagnostic:
        """A finding of this rule at `place` in `source`; `edits` are for `wfc build --fix`."""
        span = span_of(source, place)
        return Diagnostic(
            code=self.code,
            name=self.name,
            severity=self.severity,
            path=source.path,
            span=span,
            source_line=_line(source, span.line),
            message=message,
            fix=fix,
            notes=tuple(notes),
            edits=tuple(edits),
        )

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

__all__ = ["Diagnostic", "Edit", "Note", "Rule", "Severity", "Source", "Span", "note_at", "span_of"]


class Severity(StrEnum):
    """`ERROR` stops the build, the other two do not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, order=True)
class Span:
    """A piece of a file. Lines and columns count characters from 1; `end_column` is exclusive."""

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


class Source(Protocol):
    """What a rule needs of a file to point into it."""

    @property
    def path(self) -> str: ...
    @property
    def lines(self) -> tuple[str, ...]: ...


Place = ast.AST | Span | int


def span_of(source: Source, place: Place) -> Span:
    """The span of an ast node, or of a whole line; a node over several lines ends with its
    first."""
    if isinstance(place, Span):
        return place
    if isinstance(place, int):
        text = _line(source, place)
        return Span(place, len(text) - len(text.lstrip()) + 1, place, len(text.rstrip()) + 1)
    line: int = getattr(place, "lineno", 1)
    text = _line(source, line)
    start = _column(text, getattr(place, "col_offset", 0))
    end_line: int = getattr(place, "end_lineno", None) or line
    if isinstance(place, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or end_line != line:
        return Span(line, start, line, max(len(text.rstrip()) + 1, start + 1))
    return Span(line, start, line, _column(text, getattr(place, "end_col_offset", 0)))


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

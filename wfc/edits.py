"""Edits of findings applied to the bytes of a file. What they do not touch stays byte for byte.

The encoding that the file names, its mark of UTF-8 and its line ends are kept; a new line ends
like the one that it stands on.
"""

from __future__ import annotations

import codecs
import io
import re
import tokenize
from collections.abc import Iterable, Sequence

from wfc.diagnostics import Diagnostic, Edit, Span

__all__ = ["EditError", "apply_edits", "compatible"]

_LINE = re.compile(r"[^\r\n]*(\r\n|\r|\n|\Z)")
_Ends = tuple[tuple[int, int], tuple[int, int]]


class EditError(Exception):
    """Edits that do not fit the file; the text says why."""


def compatible(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Of the findings with edits those that can be mended together, in order; the edits of a
    finding are made all or none. Findings that want the very same edits go together."""
    chosen: list[Diagnostic] = []
    made: set[Edit] = set()
    for d in diagnostics:
        fresh = [edit for edit in d.edits if edit not in made]
        if d.edits and not any(_touch(a.span, b.span) for a in fresh for b in made):
            chosen.append(d)
            made.update(fresh)
    return chosen


def _touch(one: Span, other: Span) -> bool:
    """Whether two pieces overlap; an empty one also touches the ends of the other."""
    (a, b), (c, d) = _ends(one), _ends(other)
    if a == b or c == d:
        return a <= d and c <= b
    return a < d and c < b


def _ends(span: Span) -> _Ends:
    return (span.line, span.column), (span.end_line, span.end_column)


def apply_edits(data: bytes, edits: Iterable[Edit]) -> bytes:
    """The bytes of a Python file after the edits, which do not overlap; the order does not matter.

    Raises `EditError` when a place is not in the file, or the text does not fit its encoding.
    """
    mark, encoding, text = _decoded(data)
    lines = [match[0] for match in _LINE.finditer(text)]
    starts = [0]
    for whole in lines:
        starts.append(starts[-1] + len(whole))
    for edit in sorted(set(edits), key=lambda e: _ends(e.span), reverse=True):
        (line, column), (end_line, end_column) = _ends(edit.span)
        start = _offset(lines, starts, line, column)
        end = _offset(lines, starts, end_line, end_column)
        new = edit.text.replace("\n", _line_end(lines, line))
        text = text[:start] + new + text[end:]
    try:
        return mark + text.encode(encoding)
    except UnicodeEncodeError as error:
        raise EditError(f"the new text does not fit the encoding {encoding}") from error


def _decoded(data: bytes) -> tuple[bytes, str, str]:
    """The mark of UTF-8 at the start if there is one, the encoding, and the text."""
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    body = data.removeprefix(mark)
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        encoding = "utf-8" if encoding == "utf-8-sig" else encoding
        text = body.decode(encoding)
        if text.encode(encoding) != body:
            raise EditError(f"its encoding {encoding} has several ways to write the same text")
    except (SyntaxError, UnicodeError) as error:
        raise EditError("its encoding is unknown or wrong") from error
    return mark, encoding, text


def _offset(lines: Sequence[str], starts: Sequence[int], line: int, column: int) -> int:
    if not 1 <= line <= len(lines) or column - 1 > len(lines[line - 1].rstrip("\r\n")):
        raise EditError(f"it has no line {line} with a column {column}")
    return starts[line - 1] + column - 1


def _line_end(lines: Sequence[str], line: int) -> str:
    for text in (lines[line - 1], *lines):
        if end := text[len(text.rstrip("\r\n")) :]:
            return end
    return "\n"

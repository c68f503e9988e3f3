"""Source lines with marks under them: carets under what is meant, dashes under what belongs to it.

1 | import os
  | --------- imported here
…
8 |     return os.environ["RATE"]
  |            ^^^^^^^^^^
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from wfc.diagnostics import Span
from wfc.render.cells import Cell, cells, visible

__all__ = ["Mark", "Paint", "frame", "plain"]

_WIDEST = 140  # columns of a source line that are shown

Paint = Callable[[str, str], str]
"""(what it is: "mark", "note", "gutter", …; the text) → the text, perhaps with colour."""


class Mark(NamedTuple):
    """A place in a source line. `main` is what the finding is about; a label stands beside."""

    span: Span
    source_line: str
    label: str = ""
    main: bool = False


def plain(what: str, text: str) -> str:
    """A `Paint` without colour."""
    return text


def frame(marks: Iterable[Mark], paint: Paint = plain) -> list[str]:
    """The lines of a frame around marks in one file; none where there is no source text.

    Lines are in the order of the file, and marks of one line share it where it fits.
    """
    found: list[str] = []
    last = 0
    known = sorted((m for m in marks if m.source_line.strip()), key=lambda m: (m.span, not m.main))
    for line, group in groupby(known, key=lambda m: m.span.line):
        here = list(group)
        if last and line > last + 1:
            found.append(paint("gutter", "    …"))
        found += _lines(line, here, paint)
        last = line
    return found


def _lines(line: int, marks: Sequence[Mark], paint: Paint) -> list[str]:
    found: list[str] = []
    shown = ""
    for mark in marks:
        row = cells(mark.source_line.rstrip())
        source, left, width = _window(row, *_columns(mark, len(row)))
        if source != shown:
            found.append(paint("gutter", f"{line:>5} |") + f" {source}")
            shown = source
        what = "mark" if mark.main else "note"
        under = ("^" if mark.main else "-") * max(width, 1)
        if mark.span.end_line > line:
            under += f" to line {mark.span.end_line}"
        if mark.label:
            under += " " + visible(mark.label)
        found.append(paint("gutter", "      |") + " " * (left + 1) + paint(what, under))
    return found


def _columns(mark: Mark, length: int) -> tuple[int, int]:
    """The marked part of the first line, as positions in it."""
    start = min(mark.span.column - 1, length)
    end = length if mark.span.end_line > mark.span.line else mark.span.end_column - 1
    return start, max(start, min(end, length))


def _window(row: Sequence[Cell], start: int, end: int) -> tuple[str, int, int]:
    """What is shown of a line, the column at which the marked part begins, and its width.

    Of a line that is too wide it is the part around the mark.
    """
    first, last = 0, len(row)
    if sum(cell.width for cell in row) > _WIDEST:
        first, last = _part(row, start)
    before, after = "… " if first else "", " …" if last < len(row) else ""
    text = before + "".join(cell.shown for cell in row[first:last]) + after
    left = len(before) + sum(cell.width for cell in row[first:start])
    return text, left, sum(cell.width for cell in row[start : min(end, last)])


def _part(row: Sequence[Cell], start: int) -> tuple[int, int]:
    """Where the part begins and ends: a third of the room before the mark, the rest after it."""
    first, room = start, _WIDEST // 3
    while first and row[first - 1].width <= room:
        first -= 1
        room -= row[first].width
    last, room = first, _WIDEST
    while last < len(row) and row[last].width <= room:
        room -= row[last].width
        last += 1
    while first and room and row[first - 1].width <= room:  # the mark is near the end
        first -= 1
        room -= row[first].width
    while first < start and row[first].width == 0:  # an accent without its letter
        first += 1
    return first, last

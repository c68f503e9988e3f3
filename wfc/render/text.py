"""Diagnostics for people: place, the line with a caret, why, what to write instead, the code."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from itertools import groupby

from wfc.diagnostics import Diagnostic, Note, Severity
from wfc.render.cells import visible
from wfc.render.frame import Mark, Paint, frame, plain

__all__ = ["render", "render_all", "summary"]

_COLOURS = {"error": "1;31", "warning": "1;33", "info": "1;36", "place": "1", "gutter": "34"}


def render_all(diagnostics: Iterable[Diagnostic], *, color: bool = False) -> str:
    """All findings, with an empty line between them; ends with a newline unless empty.

    `color` adds the escape sequences of ANSI terminals.
    """
    return "\n".join(render(d, color=color) for d in diagnostics)


def render(d: Diagnostic, *, color: bool = False) -> str:
    """One finding, ending with a newline."""
    paint = _painter(d.severity) if color else plain
    label = d.name if d.severity is Severity.ERROR else f"{d.severity.value}: {d.name}"
    place = f"{visible(d.path)}:{d.span.line}:{d.span.column}"
    lines = [f"{paint('place', place)}  {paint('mark', label)}", *_main_frame(d, paint)]
    for paragraph in (d.message, *d.fix.split("\n")):
        lines += textwrap.wrap(
            visible(paragraph), 96, break_long_words=False, break_on_hyphens=False
        )
    lines += _other_notes(d, paint)
    lines.append(paint("gutter", f"{d.code}, more with `wfc explain {d.code}`"))
    return "\n".join(lines) + "\n"


def _main_frame(d: Diagnostic, paint: Paint) -> list[str]:
    """The finding, and with it the notes of the same file: together they are read at a glance."""
    marks = [Mark(d.span, d.source_line, main=True)]
    marks += [mark for note in d.notes if note.path == d.path for mark in _mark(note)]
    return frame(marks, paint)


def _other_notes(d: Diagnostic, paint: Paint) -> Iterator[str]:
    """Notes of other files with a frame for each stretch of one file; and what has no span."""
    left = [note for note in d.notes if not (note.path == d.path and _mark(note))]
    for (path, framed), group in groupby(left, key=lambda note: (note.path, bool(_mark(note)))):
        notes = list(group)
        if framed:
            yield f"  {visible(path)}:{notes[0].line}"
            yield from frame((mark for note in notes for mark in _mark(note)), paint)
        else:
            yield from (f"  {visible(path)}:{note.line}  {visible(note.text)}" for note in notes)


def _mark(note: Note) -> list[Mark]:
    if note.span is None or not note.source_line.strip():
        return []
    return [Mark(note.span, note.source_line, note.text)]


def _painter(severity: Severity) -> Paint:
    def paint(what: str, text: str) -> str:
        colour = _COLOURS.get({"mark": severity.value, "note": "gutter"}.get(what, what))
        return f"\x1b[{colour}m{text}\x1b[0m" if colour else text

    return paint


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning`; empty if there is nothing."""
    counts = dict.fromkeys(Severity, 0)
    for d in diagnostics:
        counts[d.severity] += 1
    return ", ".join(
        f"{n} {severity.value}{'' if n == 1 else 's'}" for severity, n in counts.items() if n
    )

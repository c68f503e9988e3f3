"""Diagnostics for people: place, the line with a caret, why, what to write instead, the code."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable

from wfc.diagnostics import Diagnostic, Severity

__all__ = ["render", "render_all", "summary"]

_WIDEST = 160  # characters of a source line that are shown


def render_all(diagnostics: Iterable[Diagnostic]) -> str:
    """All findings, with an empty line between them; ends with a newline unless empty."""
    return "\n".join(render(d) for d in diagnostics)


def render(d: Diagnostic) -> str:
    """One finding, ending with a newline."""
    label = d.name if d.severity is Severity.ERROR else f"{d.severity.value}: {d.name}"
    lines = [f"{d.path}:{d.span.line}:{d.span.column}  {label}", *_frame(d)]
    for paragraph in (d.message, *d.fix.split("\n")):
        lines += textwrap.wrap(paragraph, 96, break_long_words=False, break_on_hyphens=False)
    lines += [f"  {n.path}:{n.line}  {n.text}" for n in d.notes]
    lines.append(f"{d.code}, more with `wfc explain {d.code}`")
    return "\n".join(lines) + "\n"


def _frame(d: Diagnostic) -> list[str]:
    text, start, end = _window(d.source_line.rstrip(), d.span.column - 1, d.span.end_column - 1)
    if not text:
        return []
    number = f"{d.span.line:>5}"
    under = "".join("\t" if c == "\t" else " " * w for c, w in _cells(text)[:start])
    width = sum(w for _, w in _cells(text)[start:end]) or 1
    return [f"{number} | {text}", f"      | {under}{'^' * width}"]


def _window(text: str, start: int, end: int) -> tuple[str, int, int]:
    """The part of a long line around the caret, and where the caret is in it."""
    if len(text) <= _WIDEST:
        return text, start, end
    first = max(0, min(start - _WIDEST // 3, len(text) - _WIDEST))
    last = first + _WIDEST
    before, after = "… " if first else "", " …" if last < len(text) else ""
    moved = len(before) - first
    return before + text[first:last] + after, start + moved, min(end, last) + moved


def _cells(text: str) -> list[tuple[str, int]]:
    """Each character with the columns it takes in a terminal.

    Characters joined by U+200D are drawn as one, as wide as the first of them. A tab is as wide as
    the terminal makes it, in both lines.
    """
    found: list[tuple[str, int]] = []
    joined = False
    for char in text:
        silent = joined or unicodedata.category(char) in ("Mn", "Me", "Cf")
        wide = unicodedata.east_asian_width(char) in "WF"
        # U+1F3FB to U+1F3FF colour the emoji before them.
        toned = "\U0001f3fb" <= char <= "\U0001f3ff" and bool(found)
        found.append((char, 0 if silent or toned else 2 if wide else 1))
        joined = char == "\u200d"
    return found


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning`; empty if there is nothing."""
    counts = dict.fromkeys(Severity, 0)
    for d in diagnostics:
        counts[d.severity] += 1
    return ", ".join(
        f"{n} {severity.value}{'' if n == 1 else 's'}" for severity, n in counts.items() if n
    )

"""Diagnostics for people: place, the line with a caret, why, what to write instead, the code."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable

from wfc.diagnostics import Diagnostic, Severity

__all__ = ["render", "render_all", "summary"]


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
    text = d.source_line.rstrip()
    if not text:
        return []
    number = f"{d.span.line:>5}"
    start = d.span.column - 1
    under = "".join(_gap(c) for c in text[:start])
    width = sum(_width(c) for c in text[start : d.span.end_column - 1]) or 1
    return [f"{number} | {text}", f"      | {under}{'^' * width}"]


def _gap(char: str) -> str:
    # A tab is as wide as the terminal makes it, in both lines.
    return "\t" if char == "\t" else " " * _width(char)


def _width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning`; empty if there is nothing."""
    counts = dict.fromkeys(Severity, 0)
    for d in diagnostics:
        counts[d.severity] += 1
    return ", ".join(
        f"{n} {severity.value}{'' if n == 1 else 's'}" for severity, n in counts.items() if n
    )

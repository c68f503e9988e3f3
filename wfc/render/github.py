"""Diagnostics as workflow commands of GitHub Actions, which shows them beside the changed
lines."""

from __future__ import annotations

from collections.abc import Iterable

from wfc.diagnostics import Diagnostic, Severity
from wfc.render.cells import visible

__all__ = ["failure", "render_all", "stale"]

_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render_all(diagnostics: Iterable[Diagnostic], prefix: str = "") -> str:
    """One command a line. Paths have to be those of the repository: `prefix` is put before them,
    as `app/`."""
    return "".join(f"{_command(d, prefix)}\n" for d in diagnostics)


def stale(paths: Iterable[str], prefix: str = "") -> str:
    """One error a line for generated files that are not what a build makes."""
    text = "This generated file is stale; run `wfc build` and commit what it writes."
    return "".join(f"::error file={_property(prefix + p)},title=stale::{text}\n" for p in paths)


def failure(text: str) -> str:
    """An error that belongs to no line, such as a wrong setting."""
    return f"::error title=wfc build::{_data(text)}\n"


def _command(d: Diagnostic, prefix: str) -> str:
    place = f"file={_property(prefix + d.path)},line={d.span.line}"
    if d.span.end_line == d.span.line:  # columns are for places in one line only
        last = max(d.span.column, d.span.end_column - 1)
        place += f",col={d.span.column},endLine={d.span.end_line},endColumn={last}"
    else:
        place += f",endLine={d.span.end_line}"
    notes = [f"{note.path}:{note.line}  {note.text}" for note in d.notes]
    title = _property(f"{d.code} {d.name}")
    text = _data("\n".join([d.message, d.fix, *notes]))
    return f"::{_LEVEL[d.severity]} {place},title={title}::{text}"


def _data(text: str) -> str:
    shown = "\n".join(visible(line) for line in text.split("\n"))
    return shown.replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

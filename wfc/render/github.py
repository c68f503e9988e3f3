"""Diagnostics as workflow commands of GitHub Actions, which shows them beside the changed
lines."""

from __future__ import annotations

from collections.abc import Iterable

from wfc.diagnostics import Diagnostic, Severity

__all__ = ["render_all", "stale"]

_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render_all(diagnostics: Iterable[Diagnostic]) -> str:
    """One command a line."""
    return "".join(f"{_command(d)}\n" for d in diagnostics)


def stale(paths: Iterable[str]) -> str:
    """One error a line for generated files that are not what a build makes."""
    text = "This generated file is stale; run `wfc build` and commit what it writes."
    return "".join(f"::error file={_property(p)},title=stale::{_data(text)}\n" for p in paths)


def _command(d: Diagnostic) -> str:
    place = (
        f"file={_property(d.path)},line={d.span.line},col={d.span.column},"
        f"endLine={d.span.end_line},endColumn={d.span.end_column - 1}"
    )
    text = _data(d.message + "\n" + d.fix)
    title = _property(f"{d.code} {d.name}")
    return f"::{_LEVEL[d.severity]} {place},title={title}::{text}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

"""Diagnostics for programs: one JSON object. docs/findings.md describes it; new keys may come,
those that are there stay."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wfc.diagnostics import Diagnostic, Edit, Note, Severity, Span

__all__ = ["render_all"]

_VERSION = 1


def render_all(
    diagnostics: Iterable[Diagnostic], *, stale: Sequence[str] = (), error: str | None = None
) -> str:
    """The object, with a newline at the end.

    `stale` names generated files that are not what a build makes; `error` says why there was
    nothing to look at, as when a setting is wrong.
    """
    found = list(diagnostics)
    counts = {s.value: sum(d.severity is s for d in found) for s in Severity}
    document = {
        "version": _VERSION,
        "error": error,
        "counts": counts,
        "findings": [_finding(d) for d in found],
        "stale": list(stale),
    }
    return json.dumps(document, indent=2) + "\n"


def _finding(d: Diagnostic) -> Mapping[str, Any]:
    return {
        "code": d.code,
        "name": d.name,
        "severity": d.severity.value,
        "path": d.path,
        "span": _span(d.span),
        "source_line": d.source_line,
        "message": d.message,
        "fix": d.fix,
        "notes": [_note(note) for note in d.notes],
        "edits": [_edit(edit) for edit in d.edits],
    }


def _note(note: Note) -> Mapping[str, Any]:
    span = None if note.span is None else _span(note.span)
    return {"path": note.path, "line": note.line, "span": span, "text": note.text}


def _edit(edit: Edit) -> Mapping[str, Any]:
    return {"span": _span(edit.span), "text": edit.text}


def _span(span: Span) -> Mapping[str, int]:
    return dataclasses.asdict(span)

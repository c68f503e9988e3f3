"""What the rules say, word for word: a golden file of the findings of all bad examples and of the
edges. UPDATE_GOLDEN=1 rewrites it; its difference is what users would read differently."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import wfc
from tests.compiler.projects import write_project
from tests.compiler.test_rule_edges import EDGES, files_of
from wfc.analyse.checks import rules
from wfc.diagnostics import Diagnostic, Span

GOLDEN = Path(__file__).parent / "findings.txt"


def place(span: Span) -> str:
    return f"{span.line}:{span.column}-{span.end_line}:{span.end_column}"


def written(found: Iterable[Diagnostic]) -> str:
    lines: list[str] = []
    for d in found:
        lines += [f"{d.code} {d.severity} {d.path}:{place(d.span)}", f"    {d.message}"]
        lines += [f"    fix: {d.fix}"]
        for note in d.notes:
            at = place(note.span) if note.span else str(note.line)
            lines.append(f"    {note.path}:{at}: {note.text}")
        lines += [f"    edit {place(edit.span)}: {edit.text!r}" for edit in d.edits]
    return "\n".join(lines) + "\n"


def test_findings_are_word_for_word_as_before(tmp_path: Path) -> None:
    """Message, fix, place, notes and edits of every bad example and edge are the golden ones."""
    projects = [(code, rule.bad) for code, rule in rules().items()]
    projects += [(name, files_of(text)) for name, text in EDGES.items()]
    parts = []
    for number, (name, files) in enumerate(projects):
        root = write_project(tmp_path / str(number), files)
        found = wfc.build(root, write=False, cache=False).diagnostics
        if found:
            parts.append(f"# {name}\n{written(found)}")
    text = "\n".join(parts)
    if os.environ.get("UPDATE_GOLDEN") == "1":
        GOLDEN.write_text(text, "utf-8")
    assert text == GOLDEN.read_text("utf-8")

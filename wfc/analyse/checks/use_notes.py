"""The places behind a use: how workflow code gets to it, and where it was imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from wfc.analyse.externals import chain_notes
from wfc.diagnostics import Note, Place, Span, note_at
from wfc.model import Module, Program, Reference

__all__ = ["also_notes", "notes_for"]

_MOST = 4


def notes_for(program: Program, reference: Reference) -> list[Note]:
    """The way from a workflow to the use, then the import."""
    notes = [
        note_at(module, _word(module, line, text.rpartition(" ")[2]), text)
        for module, line, text in chain_notes(program, reference.owner)
    ]
    imported = reference.imported
    if isinstance(imported, ast.Import | ast.ImportFrom) and imported is not reference.node:
        notes.append(note_at(reference.module, _name_in(imported, reference.node), "imported here"))
    return notes


def also_notes(others: Sequence[Reference]) -> list[Note]:
    """Further functions of the file that use the same."""
    shown = others if len(others) <= _MOST else others[: _MOST - 1]
    notes = [note_at(r.module, r.node, f"{r.owner[1]} uses it too") for r in shown]
    if rest := others[len(shown) :]:
        names = ", ".join(r.owner[1] for r in rest)
        text = f"{len(rest)} more use it: {names}"
        notes.append(note_at(rest[0].module, rest[0].node, text))
    return notes


def _name_in(imported: ast.Import | ast.ImportFrom, use: ast.AST) -> ast.AST:
    """The part of an import statement that brings the name a use begins with."""
    while isinstance(use, ast.Attribute):
        use = use.value
    if len(imported.names) > 1 and isinstance(use, ast.Name):
        for alias in imported.names:
            if (alias.asname or alias.name.partition(".")[0]) == use.id:
                return alias
    return imported


def _word(module: Module, line: int, name: str) -> Place:
    """Where a line has a name; the whole line where it is not to be found."""
    text = module.lines[line - 1] if 0 < line <= len(module.lines) else ""
    found = re.search(rf"\b{re.escape(name)}\b", text)
    return Span(line, found.start() + 1, line, found.end() + 1) if found else line

"""The places behind a use: where it was imported, and how workflow code gets to it."""

from __future__ import annotations

from wfc.analyse.externals import chain_notes
from wfc.diagnostics import Note
from wfc.model import Program, Reference

__all__ = ["notes_for"]


def notes_for(program: Program, reference: Reference) -> list[Note]:
    """The way from a workflow to the use, then the import."""
    notes = [Note(m.path, line, text) for m, line, text in chain_notes(program, reference.owner)]
    if reference.imported is not None and reference.imported.lineno != getattr(
        reference.node, "lineno", 0
    ):
        notes.append(Note(reference.module.path, reference.imported.lineno, "imported here"))
    return notes

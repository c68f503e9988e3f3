"""Cursors of run listings: the place of the last run shown, newest first."""

from __future__ import annotations

from workflow.world.records import Micros, RunRecord

__all__ = ["cursor_of", "read_cursor"]


def cursor_of(run: RunRecord) -> str:
    """The cursor that continues a listing after `run`."""
    return f"{run.created_at}:{run.run_id}"


def read_cursor(cursor: str) -> tuple[Micros, str]:
    """Creation time and id of the run that a cursor names; ValueError for anything else."""
    created_at, colon, run_id = cursor.partition(":")
    if not colon or not created_at.isdecimal() or len(created_at) > 18:
        raise ValueError(f"{cursor!r:.80} is not a cursor of a run listing")
    return int(created_at), run_id

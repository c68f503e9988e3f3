"""Appends that touch nothing but their own run.

Most turns are of that kind: facts, decisions, letters eaten, tasks, an end. A world can do all of
them that are in a group with one statement that checks and writes; what is left, because it was
refused or needs more, goes through a batch, which finds out which.
"""

from __future__ import annotations

from workflow.world.records import Append

__all__ = ["is_short"]


def is_short(asked: Append) -> bool:
    """Whether an append needs no row but its own run's."""
    return not (
        asked.open_tokens
        or asked.close_tokens
        or asked.children
        or asked.letters
        or asked.attributes
        or asked.status
        or (asked.add_tasks and (asked.drop_tasks or asked.end))
    )

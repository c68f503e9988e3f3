"""Whose child a run is: attributes that every run started by another one has, to be searched."""

from __future__ import annotations

__all__ = ["PARENT", "ROOT", "lineage"]

PARENT = "$parent_run_id"
ROOT = "$root_run_id"


def lineage(parent: str, root: str) -> dict[str, str]:
    """The attributes of a run that `parent` starts, whose own first ancestor is `root`."""
    return {PARENT: parent, ROOT: root}

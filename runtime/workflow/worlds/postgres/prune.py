"""Deleting old runs, and the code that none of them needs."""

from __future__ import annotations

from collections.abc import Collection

from workflow.world.records import Micros, Status
from workflow.worlds.postgres.arrays import Texts
from workflow.worlds.postgres.sessions import Session

__all__ = ["prune", "prune_bundles"]


def prune(
    session: Session, before: Micros, statuses: Collection[Status], limit: int, *, dry_run: bool
) -> tuple[str, ...]:
    """Delete runs that ended before `before`; their ids. With `dry_run` only say which."""
    query = "old_runs" if dry_run else "prune_runs"
    found = session.all(query, before=before, statuses=Texts(statuses), limit=limit)
    return tuple(run_id for (run_id,) in found)


def prune_bundles(session: Session, before: Micros, *, dry_run: bool) -> tuple[str, ...]:
    """Delete bundles that were not in use since `before` and that no run is pinned to; which."""
    query = "free_bundles" if dry_run else "prune_bundles"
    return tuple(sorted(bundle for (bundle,) in session.all(query, before=before)))

"""Deleting old runs, and copies of the file while it is in use."""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from pathlib import Path

import msgspec

from workflow.errors import WorldError
from workflow.world.records import Micros, Status
from workflow.worlds.local.store import Tx, describe

__all__ = ["copy_to", "delete_bundles", "free_bundles", "old_runs", "prune"]

_TABLES = (
    "chunks_of_runs", "streams_of_runs", "events_of_runs", "letters_of_runs",
    "letter_keys_of_runs", "tasks_of_runs", "hooks_of_runs", "runs_themselves",
)  # fmt: skip


def old_runs(tx: Tx, before: Micros, statuses: list[Status], limit: int) -> list[tuple[int, str]]:
    """Numbers and ids of runs that ended before a time in one of some ways."""
    wanted = msgspec.json.encode(statuses).decode()
    return [tuple(row) for row in tx.all("old_runs", before=before, statuses=wanted, limit=limit)]


def prune(tx: Tx, before: Micros, statuses: list[Status], limit: int) -> tuple[str, ...]:
    """Delete old runs with everything that belongs to them; their ids."""
    found = old_runs(tx, before, statuses, limit)
    for table in _TABLES:
        tx.rows(f"delete_{table}", [(run,) for run, _ in found])
    return tuple(run_id for _, run_id in found)


def free_bundles(tx: Tx, before: Micros) -> tuple[str, ...]:
    """Bundles that were not in use since a time and that no run is pinned to."""
    return tuple(bundle for (bundle,) in tx.all("free_bundles", before=before))


def delete_bundles(tx: Tx, bundles: tuple[str, ...], before: Micros) -> tuple[str, ...]:
    """Delete those of some bundles that are still not in use; which these were."""
    return tuple(each for each in bundles if tx.do("delete_bundle", bundle=each, before=before))


def copy_to(source: sqlite3.Connection, target: Path) -> None:
    """Copy the database into a new file, as of one moment, while others go on writing.

    The file appears under its name when it is complete and on the disk. Raises WorldError, among
    others when `target` exists.
    """
    if target.exists():
        raise WorldError(f"{target} exists already; name a file that does not")
    unfinished = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        # Only the owner may read it, as with the original: it holds keys and payloads.
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        # One statement, one snapshot; it leaves out free pages and never waits for writers.
        source.execute("vacuum into ?", (str(unfinished),))
        with open(unfinished, "rb") as file:
            os.fsync(file.fileno())
        os.link(unfinished, target)  # unlike a rename, it does not replace a file
    except FileExistsError:
        raise WorldError(f"{target} exists already; name a file that does not") from None
    except sqlite3.Error as error:
        raise describe(error, target) from error
    except OSError as error:
        raise WorldError(f"{target} cannot be written: {error}") from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)

"""The local world: one SQLite file, shared by the processes of one machine.

`.workflow-data/workflow.db` holds everything; `workflow.lock` orders the writers, `workers/` has
one locked file per living worker, and `wake/` one socket per process. An answered call survives
`kill -9` and power loss: the log is written ahead and synced at every commit.
"""

from __future__ import annotations

import os
from pathlib import Path

from workflow.world.port import Clock
from workflow.worlds.local.world import LocalWorld

__all__ = ["LocalWorld", "create", "create_local_world"]


def create_local_world(
    data_dir: str | os.PathLike[str] | None = None, clock: Clock | None = None
) -> LocalWorld:
    """A world in a folder, made on `open` if it is missing.

    `data_dir` defaults to `WORKFLOW_EMBEDDED_DATA_DIR`, else `.workflow-data` in the working
    directory. `clock` defaults to the system's.
    """
    if data_dir is None:
        data_dir = os.environ.get("WORKFLOW_EMBEDDED_DATA_DIR") or ".workflow-data"
    return LocalWorld(Path(data_dir), clock)


def create() -> LocalWorld:
    """The world that `WORKFLOW_TARGET_WORLD=local` names."""
    return create_local_world()

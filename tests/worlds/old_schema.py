"""Worlds as they were left by an installation with an older schema.

    python -m tests.worlds.old_schema

writes what `old/` has for the schema of this installation: one file of SQL for SQLite and one for
PostgreSQL (its `pg_dump` has to be there). Run it once for each version of the schema, before the
first change to it after a release, and never again for that version.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import psycopg

import wfc
from tests import postgres
from tests.faults.stage import soon
from workflow.api import with_options
from workflow.engine import Application, Project
from workflow.runs import Run
from workflow.world.port import World
from workflow.worlds.local import create_local_world
from workflow.worlds.local import store as local_store
from workflow.worlds.postgres import create_postgres_world
from workflow.worlds.postgres import store as postgres_store

__all__ = ["OLD", "RESULTS", "build", "load_local", "load_postgres"]

OLD = Path(__file__).parent / "old"
_SCHEMA = "workflow_old"

FLOWS = """
import asyncio
from workflow import create_hook, sleep

async def add(a: int, b: int) -> int:
    "use step"
    return a + b

async def resting(n: int) -> int:
    "use workflow"
    first = await add(n, 1)
    await sleep("5s")
    return await add(first, 1)

async def asking(n: int) -> int:
    "use workflow"
    first = sum(await asyncio.gather(*[add(i, n) for i in range(12)]))
    given = await create_hook(token="old-question")
    return await add(first, given)

async def waiting(n: int) -> int:
    "use workflow"
    return await add(n, n)
"""

# The runs that are open in each of the files, by an attribute, and what they come to.
RESULTS = {"resting": 3, "asking": 82, "waiting": 6, "held": 8}


def build(folder: Path) -> Project:
    """The workflows of these runs."""
    (folder / "old_flows.py").write_text(FLOWS)
    wfc.build(folder)
    return Project.load(folder / "generated")


async def _start(workflow: str, n: int, name: str) -> Run[Any]:
    return await with_options(attributes={"old": name}).start(workflow, n)


async def _fill(world: World, project: Project) -> None:
    async with Application(world, project):
        resting = await _start("resting", 1, "resting")
        await _start("asking", 1, "asking")

        async def are_idle() -> bool:
            hooks = await world.list_hooks()
            run = await world.get_run(resting.run_id)
            return len(hooks) == 1 and run is not None and run.next_timer is not None

        await soon(are_idle, "runs that wait")
    async with Application(world, project, worker=False):
        held = await _start("waiting", 4, "held")
        (claimed,) = (await world.claim_runs("a worker that is no more", 1)).runs
        assert claimed.run_id == held.run_id
        await _start("waiting", 3, "waiting")


def load_local(file: Path, folder: Path) -> None:
    """Make the data directory that a file of SQL describes."""
    folder.mkdir()
    connection = sqlite3.connect(folder / "workflow.db")
    connection.executescript(file.read_text("utf-8"))
    connection.close()


def load_postgres(file: Path, url: str) -> str:
    """Make the schema that a file of SQL describes; its name."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(file.read_text("utf-8").encode())
    return _SCHEMA


def _write_local(project: Project, folder: Path) -> None:
    asyncio.run(_fill(create_local_world(folder / "data"), project))
    (path,) = (folder / "data").glob("*.db")
    connection = sqlite3.connect(path)
    settings = [
        f"pragma {name} = {connection.execute(f'pragma {name}').fetchone()[0]};"
        for name in ("application_id", "user_version")
    ]
    lines = [*settings, *connection.iterdump()]
    target = OLD / f"local-{local_store.SCHEMA_VERSION}.sql"
    target.write_text("\n".join(lines) + "\n", "utf-8")


def _write_postgres(project: Project) -> None:
    url = postgres.new_database()
    world = create_postgres_world(url, schema=_SCHEMA)
    with world.database.connect() as connection:
        world.database.migrate(connection)
    asyncio.run(_fill(world, project))
    program = os.environ.get("PG_DUMP") or "pg_dump"
    done = subprocess.run(
        [program, "--inserts", "--no-owner", "--schema", _SCHEMA, url],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    lines = [
        line
        for line in done.stdout.splitlines()
        # What psql alone understands, and settings of one version of the server.
        if line and not line.startswith(("--", "\\", "SET "))
    ]
    target = OLD / f"postgres-{postgres_store.SCHEMA_VERSION}.sql"
    target.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        built = build(Path(name))
        _write_local(built, Path(name))
        _write_postgres(built)
    postgres.stop_shared()

"""Worlds that an installation with an older schema has left, with runs in the middle."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests import postgres
from tests.faults.stage import ended
from tests.worlds.old_schema import OLD, RESULTS, build, load_local, load_postgres
from workflow.api import get_run, resume_hook
from workflow.engine import Application, Project
from workflow.policy.keeping import KEPT
from workflow.world.port import World
from workflow.world.records import RunFilter
from workflow.worlds.local import create_local_world
from workflow.worlds.local import store as local_store
from workflow.worlds.postgres import create_postgres_world
from workflow.worlds.postgres import store as postgres_store

LOCAL = sorted(OLD.glob("local-*.sql"))
POSTGRES = sorted(OLD.glob("postgres-*.sql"))


async def _finish(world: World, project: Project) -> None:
    """Every run that was open comes to its end, with the result it would have had, and the code
    that the old workers had put is not taken for old."""
    await world.open()
    assert await world.prune_bundles(world.now() - KEPT, dry_run=True) == ()
    assert len(await world.prune_bundles(world.now() + KEPT, dry_run=True)) == 1  # its steps
    async with Application(world, project):
        runs = (await world.list_runs(RunFilter())).items
        by_name = {run.attributes["old"]: run.run_id for run in runs}
        assert by_name.keys() == RESULTS.keys()
        assert all(run.completed_at is None for run in runs)
        await resume_hook("old-question", 4)
        for name, result in RESULTS.items():
            await ended(world, by_name[name])
            assert await get_run(by_name[name]).return_value == result


def test_there_is_a_world_of_every_version() -> None:
    """The files go up to the version before this installation's, or to its own."""
    for files, version in (
        (LOCAL, local_store.SCHEMA_VERSION),
        (POSTGRES, postgres_store.SCHEMA_VERSION),
    ):
        numbers = [int(file.stem.partition("-")[2]) for file in files]
        assert numbers in (list(range(1, version)), list(range(1, version + 1)))
        assert numbers


@pytest.mark.fault("F40")
@pytest.mark.parametrize("file", LOCAL, ids=lambda file: file.stem)
def test_old_runs_finish_in_sqlite(file: Path, tmp_path: Path) -> None:
    """Opening an old file brings it up to date, and its runs finish: one that sleeps, one that
    waits for a payload, one that was never begun, one whose worker died."""
    project = build(tmp_path)
    load_local(file, tmp_path / "data")
    asyncio.run(_finish(create_local_world(tmp_path / "data"), project))


@pytest.mark.fault("F40")
@pytest.mark.parametrize("file", POSTGRES, ids=lambda file: file.stem)
def test_old_runs_finish_in_postgresql(file: Path, tmp_path: Path) -> None:
    """The same for an old schema that `wfc world setup` has brought up to date."""
    project = build(tmp_path)
    url = postgres.new_database()
    world = create_postgres_world(url, schema=load_postgres(file, url))
    with world.database.connect() as connection:
        world.database.migrate(connection)
    asyncio.run(_finish(world, project))

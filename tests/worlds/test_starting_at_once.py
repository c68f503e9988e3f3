"""Processes that start at the same time on a store of an older version, or on none."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import postgres
from tests.worlds.old_schema import OLD, load_local, load_postgres
from workflow.testing.clock import VirtualClock
from workflow.world.records import NewRun, RunFilter, WorkerRecord
from workflow.worlds.local import create_local_world
from workflow.worlds.local import store as local_store
from workflow.worlds.postgres import create_postgres_world
from workflow.worlds.postgres import store as postgres_store

STARTERS = 4
FOLDERS = 6


_together: Any = None


def _meet(barrier: Any) -> None:
    global _together
    _together = barrier


def _starters() -> ProcessPoolExecutor:
    """Processes that wait for each other before each of their starts."""
    spawn = get_context("spawn")
    barrier = spawn.Barrier(STARTERS)
    return ProcessPoolExecutor(STARTERS, mp_context=spawn, initializer=_meet, initargs=(barrier,))


def _open_all(parent: str, name: str) -> list[int]:
    """Open a world in each folder, start a run, and say how many runs there are."""

    async def main() -> list[int]:
        counts = []
        for folder in sorted(Path(parent).iterdir()):
            world = create_local_world(folder)
            _together.wait(60)
            await world.open()
            try:
                run_id = f"{name} {folder.name}"
                created = await world.create(
                    NewRun(run_id=run_id, workflow="flow", input=b"", meta=b"{}")
                )
                assert created.created
                counts.append(len((await world.list_runs(RunFilter())).items))
            finally:
                await world.close()
        return counts

    return asyncio.run(main())


@pytest.mark.fault("F40")
@pytest.mark.parametrize("old", ["nothing", "version 1"])
def test_starters_on_one_sqlite_file(old: str, tmp_path: Path) -> None:
    """One of them brings the file up to date, all of them work with it, and no run is lost."""
    for n in range(FOLDERS):
        folder = tmp_path / f"data {n}"
        if old == "nothing":
            folder.mkdir()
        else:
            load_local(OLD / "local-1.sql", folder)
    file = tmp_path / "data 0" / "workflow.db"
    before = 0
    if old != "nothing":
        with sqlite3.connect(file) as there:
            (before,) = there.execute("select count(*) from runs").fetchone()
        there.close()
        assert before > 0
    with _starters() as processes:
        names = [f"starter {n}" for n in range(STARTERS)]
        found = list(processes.map(_open_all, [str(tmp_path)] * STARTERS, names))
    last = [max(counts) for counts in zip(*found, strict=True)]
    assert last == [before + STARTERS] * FOLDERS
    with sqlite3.connect(file) as there:
        assert there.execute("pragma user_version").fetchone() == (local_store.SCHEMA_VERSION,)
        assert there.execute("pragma integrity_check").fetchone() == ("ok",)
    there.close()


def _set_up_all(urls: list[str], schema: str) -> list[int]:
    found = []
    for url in urls:
        database = create_postgres_world(url, schema=schema).database
        with database.connect() as connection:
            _together.wait(60)
            found.append(database.migrate(connection))
    return found


@pytest.mark.fault("F40")
def test_setters_up_of_an_old_postgres_schema() -> None:
    """One of them does each step of the migration, and the others find it done."""
    urls = [postgres.new_database() for _ in range(FOLDERS)]
    (schema,) = {load_postgres(OLD / "postgres-1.sql", url) for url in urls}
    with _starters() as processes:
        found = list(processes.map(_set_up_all, [urls] * STARTERS, [schema] * STARTERS))
    for before in zip(*found, strict=True):
        assert sorted(before) == [1] + [postgres_store.SCHEMA_VERSION] * (STARTERS - 1)


def test_a_beat_that_frees_work_tells_the_others() -> None:
    """Other hosts are notified when a beat has freed something, and not by every beat."""

    async def main() -> None:
        clock = VirtualClock()
        world = postgres.new_world(clock)
        await world.open()
        try:
            await world.create(NewRun(run_id="run", workflow="flow", input=b"", meta=b"{}"))
            await world.claim_runs("dead", 1)
            channel = psycopg.sql.Identifier(world.database.channel)
            with psycopg.connect(postgres.url(), autocommit=True) as other:
                other.execute(psycopg.sql.SQL("listen {}").format(channel))
                list(other.notifies(timeout=0.5))  # what the start of the run has to tell
                lease = WorkerRecord(worker="alive", lease_until=clock.now() + 10_000_000)
                assert await world.beat(lease) == 1
                assert len(list(other.notifies(timeout=60, stop_after=1))) == 1
                assert await world.beat(lease) == 0
                assert list(other.notifies(timeout=0.2)) == []
        finally:
            await world.close()

    asyncio.run(main())

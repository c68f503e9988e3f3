"""The SQLite world's file over the years: new versions, copies, old runs that go."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from wfc.cli import main as wfc
from workflow.errors import WorldError
from workflow.testing.clock import VirtualClock
from workflow.world.records import Append, Letter, NewEvent, NewRun, RunFilter
from workflow.worlds.local import LocalWorld, create_local_world, store
from workflow.worlds.local.queries import QUERIES, for_rows
from workflow.worlds.local.store import Tx


@asynccontextmanager
async def opened(folder: Path, clock: VirtualClock | None = None) -> AsyncIterator[LocalWorld]:
    world = create_local_world(folder, clock)
    await world.open()
    try:
        yield world
    finally:
        await world.close()


def new_run(run_id: str) -> NewRun:
    return NewRun(run_id=run_id, workflow="flow", input=b"in", meta=b"{}")


async def _run_ids(world: LocalWorld) -> set[str]:
    return {run.run_id for run in (await world.list_runs(RunFilter(), limit=1000)).items}


# -- new versions of the schema ----------------------------------------------------------------


def _next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """An installation whose schema is one version ahead."""
    scripts = tmp_path / "scripts"
    if not scripts.exists():
        shutil.copytree(store._SCRIPTS, scripts)
    (scripts / f"{store.SCHEMA_VERSION + 1}.sql").write_text(script)
    monkeypatch.setattr(store, "_SCRIPTS", scripts)
    monkeypatch.setattr(store, "SCHEMA_VERSION", store.SCHEMA_VERSION + 1)


def test_migration_keeps_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer installation brings the file up to date and finds all runs in it."""
    data = tmp_path / "data"

    async def main() -> None:
        async with opened(data) as world:
            await world.create(new_run("run"))
        _next_version(tmp_path, monkeypatch, "alter table runs add column colour text;")
        async with opened(data) as world:
            assert await _run_ids(world) == {"run"}
            row = await world._writer.run(lambda tx: _first(tx, "select colour from runs"))
            assert row == (None,)

    asyncio.run(main())


def _first(tx: Tx, query: str) -> tuple[object, ...]:
    return tuple(tx._connection.execute(query).fetchone())


@pytest.mark.fault("F40")
def test_failed_migration_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration that fails half-way leaves the file to the installation that wrote it."""
    data = tmp_path / "data"

    async def main() -> None:
        async with opened(data) as world:
            await world.create(new_run("run"))
        with monkeypatch.context() as newer:
            _next_version(tmp_path, newer, "alter table runs add column colour text; nonsense;")
            with pytest.raises(WorldError, match="nonsense"):
                await create_local_world(data).open()
        async with opened(data) as world:
            assert await _run_ids(world) == {"run"}
            columns = await world._writer.run(
                lambda tx: [
                    row["name"] for row in tx._connection.execute("pragma table_info(runs)")
                ]
            )
            assert "colour" not in columns

    asyncio.run(main())


# -- copies --------------------------------------------------------------------------------------


def test_backup_is_a_whole_world(tmp_path: Path) -> None:
    """A copy taken while others write has every run answered before it, and works as a world."""

    async def main() -> None:
        async with opened(tmp_path / "data") as world:
            for n in range(20):
                await world.create(new_run(f"before-{n}"))
            others = [world.create(new_run(f"during-{n}")) for n in range(200)]
            copy = tmp_path / "copies" / "workflow.db"
            copy.parent.mkdir()
            await asyncio.gather(world.backup(copy), *others)
            with pytest.raises(WorldError, match="exists already"):
                await world.backup(copy)
            assert copy.stat().st_mode & 0o077 == 0
            assert [path.name for path in copy.parent.iterdir()] == ["workflow.db"]
            secret = await world.secret("key")
        async with opened(copy.parent) as world:
            assert {f"before-{n}" for n in range(20)} <= await _run_ids(world)
            (claimed,) = (await world.claim_runs("me", 1)).runs
            assert claimed.input == b"in"
            assert await world.secret("key") != secret  # made after the copy

    asyncio.run(main())


def test_backup_to_nowhere(tmp_path: Path) -> None:
    """A copy that cannot be written is an error that names it, and leaves nothing behind."""

    async def main() -> None:
        async with opened(tmp_path / "data") as world:
            with pytest.raises(WorldError, match=r"missing/copy\.db"):
                await world.backup(tmp_path / "missing" / "copy.db")

    asyncio.run(main())
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


# -- old runs ------------------------------------------------------------------------------------


async def _end(world: LocalWorld, run_id: str) -> None:
    await world.create(new_run(run_id))
    (run,) = (await world.claim_runs("me", 1)).runs
    ended = NewEvent(type="run_completed", at=world.now())
    asked = Append(
        run_id=run_id, worker="me", fence=run.fence, expected=1, at=world.now(),
        events=(ended,), seen=run.mail, end="completed", output=b"out",
    )  # fmt: skip
    assert (await world.append(asked)).ok


def test_numbers_of_pruned_runs(tmp_path: Path) -> None:
    """A new run that gets the number of a pruned one has nothing of it."""

    async def main() -> None:
        async with opened(tmp_path) as world:
            await _end(world, "old")
            await world.post("old", Letter(kind="wake", payload=b"late", dedupe="once"))
            assert await world.prune(world.now() + 1) == ("old",)
            await world.create(new_run("new"))
            number = await world._writer.run(lambda tx: _first(tx, "select max(id) from runs"))
            assert number == (1,)
            loaded = await world.load("new")
            assert [event.type for event in loaded.events] == ["run_created"]
            assert loaded.letters == ()

    asyncio.run(main())


def test_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`wfc prune` deletes what is old enough, `wfc backup` copies, and both say what they did."""
    monkeypatch.delenv("WORKFLOW_EMBEDDED_DATA_DIR", raising=False)
    data = tmp_path / ".workflow-data"
    day = 86_400_000_000

    async def fill() -> None:
        clock = VirtualClock(time.time_ns() // 1000 - 40 * day)
        async with opened(data, clock) as world:
            await _end(world, "old")
            await world.create(new_run("open"))
            await world.put_bundle("of nobody", b"source")
            clock.advance(39 * 86_400)
            await world.put_bundle("young", b"source")
            await world.claim_runs("me", 1)
            await _end(world, "young")

    asyncio.run(fill())
    run = CliRunner()
    where = ["--root", str(tmp_path)]
    asked = run.invoke(wfc, ["prune", "--older-than", "30d", "--dry-run", *where])
    assert (asked.exit_code, asked.stdout) == (0, "old\n")
    assert "1 run would be deleted" in asked.stderr
    assert "1 bundle would be deleted, which no run is pinned to" in asked.stderr
    done = run.invoke(wfc, ["prune", "--older-than", "30d", *where])
    assert done.exit_code == 0
    assert "1 run deleted\n1 bundle deleted, which no run is pinned to\n" in done.stderr
    assert run.invoke(wfc, ["prune", "--older-than", "30d", *where]).stderr == "0 runs deleted\n"
    copied = run.invoke(wfc, ["backup", str(tmp_path / "copy.db"), *where])
    assert copied.exit_code == 0, copied.stderr
    with sqlite3.connect(tmp_path / "copy.db") as connection:
        left = connection.execute("select run_id from runs order by run_id").fetchall()
    connection.close()
    assert left == [("open",), ("young",)]
    again = run.invoke(wfc, ["backup", str(tmp_path / "copy.db"), *where])
    assert again.exit_code == 1
    assert "exists already" in again.stderr


def test_prune_leaves_the_bundles_of_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However young the runs are that `wfc prune` deletes, a bundle stays for a day after a worker
    has used it: that worker may still pin runs to it."""
    monkeypatch.delenv("WORKFLOW_EMBEDDED_DATA_DIR", raising=False)
    hour = 3_600_000_000

    async def fill() -> None:
        clock = VirtualClock(time.time_ns() // 1000 - 25 * hour)
        async with opened(tmp_path / ".workflow-data", clock) as world:
            await world.put_bundle("of yesterday", b"source")
            clock.advance(2 * 3600)
            await world.put_bundle("of today", b"source")
            await _end(world, "young")

    async def left() -> tuple[str, ...]:
        async with opened(tmp_path / ".workflow-data") as world:
            return await world.prune_bundles(world.now(), dry_run=True)

    asyncio.run(fill())
    done = CliRunner().invoke(wfc, ["prune", "--older-than", "1h", "--root", str(tmp_path)])
    assert "1 run deleted\n1 bundle deleted" in done.stderr
    assert asyncio.run(left()) == ("of today",)


@pytest.mark.parametrize(
    ("duration", "message"),
    [("30", "such as 30s, 10m, 12h, 30d"), ("soon", "soon"), ("-3d", "-3d")],
)
def test_prune_needs_a_duration(tmp_path: Path, duration: str, message: str) -> None:
    """A number without a unit could mean days or seconds, and is refused."""
    done = CliRunner().invoke(wfc, ["prune", "--older-than", duration, "--root", str(tmp_path)])
    assert done.exit_code == 2
    assert message in done.stderr


# -- the plans of the statements -----------------------------------------------------------------

_WIDTHS = {
    "append_runs": 14, "go_on_with_runs": 7, "save_runs": 9, "save_all_of_runs": 18,
    "add_runs": 24, "add_events": 8, "add_letters": 9, "add_letter_keys": 3, "eat_letters": 2,
    "add_tasks": 9, "drop_tasks": 2,
    "retry_tasks": 4, "add_hooks": 7, "close_hooks": 2, "save_streams": 5, "add_chunks": 5,
    "claim_runs": 2, "claim_tasks": 3, "events_after": 2, "find_keys": 2, "find_letter_keys": 2,
    "find_tasks": 2, "find_streams": 2, "free_crashed_tasks": 2, "delay_runs": 2,
    "offer_tasks": 2,
}  # fmt: skip


def test_groups_use_indexes(tmp_path: Path) -> None:
    """No statement over many rows reads a whole table."""
    names = [name for name, query in QUERIES.items() if "{rows}" in query]

    async def main() -> None:
        async with opened(tmp_path) as world:
            details = await world._writer.run(_plan_of(names))
        tables = ("runs", "events", "letters", "tasks", "hooks", "streams", "chunks")
        scans = [d for d in details if d.startswith("SCAN") and d.split()[1] in tables]
        assert scans == []
        assert len(details) > len(names)

    asyncio.run(main())


def _plan_of(names: list[str]) -> Callable[[Tx], list[str]]:
    def plan(tx: Tx) -> list[str]:
        found: list[str] = []
        for name in names:
            width = _WIDTHS.get(name, 1)
            query = f"explain query plan {for_rows(name, width, 4)}"
            found += [row["detail"] for row in tx._connection.execute(query, [None] * width * 4)]
        return found

    return plan

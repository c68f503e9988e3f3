"""The SQLite world in one process: durability, group commit, clear errors."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from workflow.errors import WorldError
from workflow.testing.clock import VirtualClock
from workflow.world.records import (
    Append,
    Letter,
    NewEvent,
    NewRun,
    NewTask,
)
from workflow.worlds.local import LocalWorld, create, create_local_world
from workflow.worlds.local.queries import QUERIES
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


def test_durability_settings(tmp_path: Path) -> None:
    """The log is written ahead and synced at every commit, on both connections."""

    async def main() -> None:
        async with opened(tmp_path) as world:
            await world.create(new_run("run"))

            def settings(tx: Tx) -> tuple[object, ...]:
                return tuple(
                    tx._connection.execute(f"pragma {name}").fetchone()[0]
                    for name in ("journal_mode", "synchronous")
                )

            assert await world._writer.run(settings) == ("wal", 2)

    asyncio.run(main())


def test_acknowledged_is_on_disk(tmp_path: Path) -> None:
    """What was answered can be read by a stranger from a copy taken without closing anything."""

    async def main() -> None:
        async with opened(tmp_path / "data") as world:
            await asyncio.gather(*(world.create(new_run(f"r{n}")) for n in range(20)))
            copy = tmp_path / "copy"
            copy.mkdir()
            for path in (tmp_path / "data").glob("workflow.db*"):
                (copy / path.name).write_bytes(path.read_bytes())
        async with opened(copy) as world:
            assert len((await world.claim_runs("me", 99)).runs) == 20

    asyncio.run(main())


def test_group_commit_isolates_a_bad_operation(tmp_path: Path) -> None:
    """An operation that SQLite refuses gets its error, and its neighbours are done exactly once."""

    async def main() -> None:
        async with opened(tmp_path) as world:
            await world.create(new_run("run"))

            def bad(tx: Tx) -> None:
                tx.do("renew_lease", worker="broken", lease_until=1, registry="")
                tx.do("add_secret", name="broken", value=None)

            letters = [world.post("run", Letter(kind="wake", ref=str(n))) for n in range(10)]
            answers = await asyncio.gather(
                *letters[:5], world._writer.run(bad), *letters[5:], return_exceptions=True
            )
            assert isinstance(answers.pop(5), WorldError)
            assert [getattr(answer, "outcome", answer) for answer in answers] == ["posted"] * 10
            assert [x.n for x in await world.list_letters("run")] == list(range(2, 12))

    asyncio.run(main())


def _pragma(pragma: str) -> Callable[[Tx], None]:
    def run(tx: Tx) -> None:
        tx._connection.execute(pragma)

    return run


@pytest.mark.fault("F32")
@pytest.mark.parametrize(
    ("pragma", "message"),
    [
        ("pragma query_only = on", "cannot be written; check the permissions"),
        ("pragma max_page_count = 1", "the disk is full; free some space"),
    ],
)
def test_storage_that_refuses(tmp_path: Path, pragma: str, message: str) -> None:
    """A full or read-only file fails the call with advice, and leaves what was written readable."""

    async def main() -> None:
        async with opened(tmp_path) as world:
            await world.create(new_run("run"))
            await world._writer.run(_pragma(pragma))
            big = Letter(kind="wake", payload=bytes(1_000_000))
            with pytest.raises(WorldError, match=message):
                await world.post("run", big)
            assert (await world.load("run")).letters == ()

    asyncio.run(main())


def _open_fails(folder: Path, message: str) -> None:
    async def main() -> None:
        world = create_local_world(folder)
        with pytest.raises(WorldError, match=message):
            await world.open()
        await world.close()

    asyncio.run(main())


@pytest.mark.fault("F40")
def test_newer_schema(tmp_path: Path) -> None:
    """A file of a newer version is refused and left as it is."""

    async def main() -> None:
        async with opened(tmp_path):
            pass

    asyncio.run(main())
    with sqlite3.connect(tmp_path / "workflow.db") as connection:
        connection.execute("pragma user_version = 99")
    connection.close()
    _open_fails(tmp_path, "schema version 99.*upgrade workflow-compiler")


def test_not_a_database(tmp_path: Path) -> None:
    """A file that is no database is refused and left as it is."""
    (tmp_path / "workflow.db").write_bytes(b"hello, I am a text file" * 100)
    _open_fails(tmp_path, "not a database of ours")
    assert (tmp_path / "workflow.db").read_bytes().startswith(b"hello")


def test_database_of_somebody_else(tmp_path: Path) -> None:
    """Another program's database is refused and left as it is."""
    with sqlite3.connect(tmp_path / "workflow.db") as connection:
        connection.execute("create table theirs (x)")
    connection.close()
    before = (tmp_path / "workflow.db").read_bytes()
    _open_fails(tmp_path, "not a database of ours")
    assert (tmp_path / "workflow.db").read_bytes() == before


@pytest.mark.fault("F33")
def test_damaged_file(tmp_path: Path) -> None:
    """A damaged file is an error with advice, not wrong answers."""

    async def main() -> None:
        async with opened(tmp_path) as world:
            await world.create(new_run("run"))

    asyncio.run(main())
    path = tmp_path / "workflow.db"
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    _open_fails(tmp_path, "is damaged; restore it from a backup")


def test_locked_by_a_foreign_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that another program keeps open fails writes with advice; reads go on."""
    monkeypatch.setattr("workflow.worlds.local.store.BUSY_SECONDS", 0.05)

    async def main() -> None:
        async with opened(tmp_path) as world:
            await world.create(new_run("run"))
            foreign = sqlite3.connect(tmp_path / "workflow.db", isolation_level=None)
            foreign.execute("begin immediate")
            with pytest.raises(WorldError, match="is locked by another program"):
                await world.post("run", Letter(kind="wake"))
            assert await world.get_run("run") is not None
            foreign.execute("rollback")
            foreign.close()
            assert (await world.post("run", Letter(kind="wake"))).outcome == "posted"

    asyncio.run(main())


def test_unusable_folder(tmp_path: Path) -> None:
    """A data directory that cannot be made is an error that names it."""
    (tmp_path / "file").write_text("in the way")
    _open_fails(tmp_path / "file" / "data", "file/data")


def test_data_dir_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry point takes its folder from `WORKFLOW_EMBEDDED_DATA_DIR`, or `.workflow-data`."""
    monkeypatch.setenv("WORKFLOW_EMBEDDED_DATA_DIR", str(tmp_path / "elsewhere"))
    assert create().data_dir == tmp_path / "elsewhere"
    monkeypatch.delenv("WORKFLOW_EMBEDDED_DATA_DIR")
    monkeypatch.chdir(tmp_path)
    assert create().data_dir == tmp_path / ".workflow-data"


def test_claims_use_their_indexes(tmp_path: Path) -> None:
    """Looking for due work does not read all runs and tasks."""

    async def main() -> None:
        async with opened(tmp_path) as world:

            def plan(tx: Tx) -> list[str]:
                names = ("due_runs", "own_due", "next_due", "due_tasks", "watched_until", "owners")
                values = {"now": 1, "limit": 1, "worker": "w", "names": "[]", "alone": 1}
                return [
                    row["detail"]
                    for name in names
                    for row in tx._connection.execute(f"explain query plan {QUERIES[name]}", values)
                ]

            details = await world._writer.run(plan)
            tables = [d for d in details if d.startswith(("SCAN runs", "SCAN tasks"))]
            assert [d for d in tables if "INDEX" not in d] == []

    asyncio.run(main())


def test_append_with_task_survives_reopening(tmp_path: Path) -> None:
    """A second world object on the same file reads what the first one appended."""

    async def main() -> None:
        async with opened(tmp_path) as one:
            await one.create(new_run("run"))
            (run,) = (await one.claim_runs("me", 1)).runs
            event = NewEvent(type="step_called", at=1, ref="s1")
            task = NewTask(step_id="s1", name="step", payload=b"p")
            asked = Append(
                run_id="run",
                worker="me",
                fence=run.fence,
                expected=1,
                at=1,
                events=(event,),
                add_tasks=(task,),
            )
            assert (await one.append(asked)).ok
            async with opened(tmp_path) as two:
                assert [e.ref for e in await two.list_events("run", after=1)] == ["s1"]
                assert [t.payload for t in await two.list_tasks("run")] == [b"p"]

    asyncio.run(main())

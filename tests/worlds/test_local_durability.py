"""The SQLite world and the disk: syncs before every answer, torn logs, a log that stays short."""

from __future__ import annotations

import _sqlite3
import asyncio
import ctypes
import shutil
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from workflow.world.records import Append, Letter, NewEvent, NewRun, RunFilter
from workflow.worlds.local import LocalWorld, create_local_world, log_file
from workflow.worlds.local.side_lock import SideLock
from workflow.worlds.local.store import Tx, connect, migrate


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[LocalWorld]:
    world = create_local_world(folder)
    await world.open()
    try:
        yield world
    finally:
        await world.close()


def new_run(run_id: str) -> NewRun:
    return NewRun(run_id=run_id, workflow="flow", input=b"in" * 100, meta=b"{}")


def _pragmas(*names: str) -> Callable[[Tx], tuple[object, ...]]:
    def read(tx: Tx) -> tuple[object, ...]:
        return tuple(tx._connection.execute(f"pragma {name}").fetchone()[0] for name in names)

    return read


def test_settings_are_in_force(tmp_path: Path) -> None:
    """The writing connection has the settings that docs/decisions/0009 promises."""

    async def main() -> None:
        async with opened(tmp_path) as world:
            read = _pragmas("journal_mode", "synchronous", "wal_autocheckpoint", "application_id")
            assert await world._writer.run(read) == ("wal", 2, 0, 0x57464C57)
            full = await world._writer.run(_pragmas("fullfsync", "checkpoint_fullfsync"))
            assert full == ((1, 1) if sys.platform == "darwin" else (0, 0))

    asyncio.run(main())


# -- every answer comes after a sync -----------------------------------------------------------

_WRITE = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
)
_SYNC = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
_LOG_POINTER = 28  # SQLITE_FCNTL_JOURNAL_POINTER: the open file of the log
_METHODS = 19  # pointers in sqlite3_io_methods, the version number counted as one
_XWRITE, _XSYNC = 3, 5


@contextmanager
def watched_log(connection: sqlite3.Connection) -> Iterator[list[str]]:
    """What SQLite does to the log file of a connection: `write` and `sync`, in order.

    The methods of the open file are replaced by ones that note the call and make it.
    """
    library = ctypes.CDLL(_sqlite3.__file__)
    handle = ctypes.c_void_p.from_address(id(connection) + 2 * ctypes.sizeof(ctypes.c_void_p))
    file = ctypes.c_void_p()
    code = library.sqlite3_file_control(handle, b"main", _LOG_POINTER, ctypes.byref(file))
    assert code == 0
    assert file.value is not None
    slot = ctypes.c_void_p.from_address(file.value)
    original = slot.value
    assert original is not None
    table = (ctypes.c_void_p * _METHODS).from_buffer_copy(
        (ctypes.c_char * (_METHODS * ctypes.sizeof(ctypes.c_void_p))).from_address(original)
    )
    seen: list[str] = []
    real_write, real_sync = _WRITE(table[_XWRITE] or 0), _SYNC(table[_XSYNC] or 0)

    def write(file: Any, data: Any, size: int, offset: int) -> int:
        seen.append("write")
        return int(real_write(file, data, size, offset))

    def sync(file: Any, flags: int) -> int:
        code = int(real_sync(file, flags))
        seen.append("sync")
        return code

    our_write, our_sync = _WRITE(write), _SYNC(sync)
    table[_XWRITE] = ctypes.cast(our_write, ctypes.c_void_p).value
    table[_XSYNC] = ctypes.cast(our_sync, ctypes.c_void_p).value
    slot.value = ctypes.addressof(table)
    try:
        yield seen
    finally:
        slot.value = original


async def _everything_that_writes(world: LocalWorld, name: str) -> AsyncIterator[str]:
    """Makes one call after the other and gives its name when it has been answered."""
    await world.create(new_run(name))
    yield "create"
    await world.post(name, Letter(kind="wake"))
    yield "post"
    claimed = await world.claim_runs("me", 100)
    (run,) = [run for run in claimed.runs if run.run_id == name]
    yield "claim_runs"
    event = NewEvent(type="step_created", at=1, ref="s")
    asked = Append(
        run_id=name, worker="me", fence=run.fence, expected=1, at=1, events=(event,), eat=(2,),
        seen=2,
    )  # fmt: skip
    assert (await world.append(asked)).ok
    yield "append"
    ended = NewEvent(type="run_cancelled", at=1)
    assert await world.terminate(name, ended, b"", "terminated")
    yield "terminate"


@pytest.mark.fault("F34")
def test_every_answer_comes_after_a_sync(tmp_path: Path) -> None:
    """When a call is answered, everything it wrote to the log has been synced."""

    async def main() -> None:
        async with opened(tmp_path) as world:
            await world.create(new_run("first"))
            with watched_log(world._open_files().connection) as seen:
                async for call in _everything_that_writes(world, "run"):
                    assert "write" in seen, call
                    assert seen[-1] == "sync", call
                    seen.clear()
                await asyncio.gather(*(world.create(new_run(f"r{n}")) for n in range(20)))
                assert "write" in seen
                assert seen[-1] == "sync"

    asyncio.run(main())


def test_a_missing_sync_would_be_seen(tmp_path: Path) -> None:
    """The instrument of the test above notices a setting that does not sync."""

    async def main() -> None:
        async with opened(tmp_path) as world:
            await world.create(new_run("first"))

            world._open_files().connection.execute("pragma synchronous = normal")
            with watched_log(world._open_files().connection) as seen:
                await world.create(new_run("run"))
                assert "write" in seen
                assert "sync" not in seen

    asyncio.run(main())


# -- a log whose end is torn ---------------------------------------------------------------------


def _copy(folder: Path, target: Path) -> Path:
    """A copy of the files as a power cut would leave them."""
    target.mkdir()
    for name in ("workflow.db", "workflow.db-wal"):
        shutil.copyfile(folder / name, target / name)
    return target / "workflow.db-wal"


async def _runs_in(folder: Path) -> list[str]:
    async with opened(folder) as world:
        (check,) = await world._writer.run(_pragmas("integrity_check"))
        assert check == "ok"
        page = await world.list_runs(RunFilter(), limit=1000)
        return sorted(run.run_id for run in page.items)


def _tear(log: Path, at: int, damage: str) -> None:
    content = log.read_bytes()
    end = {"cut": b"", "garbled": b"\xa5" * 3000, "zeroed": bytes(3000)}[damage]
    log.write_bytes(content[:at] + end + (content[at + 3000 :] if end else b""))


@pytest.mark.fault("F33")
@pytest.mark.parametrize("damage", ["cut", "garbled", "zeroed"])
def test_torn_log(tmp_path: Path, damage: str) -> None:
    """Whatever happened to the end of the log, all commits before it are there, whole.

    A commit that was not answered may be lost; it is never there by half.
    """
    names = [f"r{n:02}" for n in range(12)]

    async def main() -> None:
        sizes: list[int] = []
        data = tmp_path / "data"
        async with opened(data) as world:
            for name in names:
                await world.create(new_run(name))
                sizes.append((data / "workflow.db-wal").stat().st_size)
            for kept in (1, 6, 11):  # commits before the tear
                log = _copy(data, tmp_path / f"copy{kept}")
                _tear(log, sizes[kept - 1] + 10, damage)  # in the first frame of the next commit
        for kept in (1, 6, 11):
            assert await _runs_in(tmp_path / f"copy{kept}") == names[:kept]

    asyncio.run(main())


# -- a log that stays short ----------------------------------------------------------------------


def test_log_stays_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is cut off when it is too long, and nothing is lost by it."""
    monkeypatch.setattr(log_file, "LONGEST", 200_000)

    async def main() -> None:
        log = tmp_path / "workflow.db-wal"
        longest = 0
        async with opened(tmp_path) as world:
            await world.create(new_run("run"))
            for n in range(40):
                await world.post("run", Letter(kind="wake", ref=str(n), payload=bytes(50_000)))
                longest = max(longest, log.stat().st_size)
            # It is cut off between two commits: one more may have been added before.
            assert longest < 200_000 + 2 * 70_000
            letters = await world.list_letters("run")
            assert [letter.ref for letter in letters] == [str(n) for n in range(40)]

    asyncio.run(main())


def test_a_reader_does_not_stop_the_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody reads an old state the log cannot be cut off: it grows, and calls succeed."""
    monkeypatch.setattr(log_file, "LONGEST", 100_000)

    async def main() -> None:
        async with opened(tmp_path) as world:
            await world.create(new_run("run"))
            reader = sqlite3.connect(tmp_path / "workflow.db", isolation_level=None)
            reader.execute("begin")
            assert reader.execute("select count(*) from letters").fetchone() == (0,)
            for _ in range(5):
                await world.post("run", Letter(kind="wake", payload=bytes(50_000)))
            assert (tmp_path / "workflow.db-wal").stat().st_size > 250_000
            assert reader.execute("select count(*) from letters").fetchone() == (0,)
            reader.execute("rollback")
            reader.close()
            for _ in range(2):
                await world.post("run", Letter(kind="wake"))
            assert (tmp_path / "workflow.db-wal").stat().st_size < 250_000

    asyncio.run(main())


def test_a_log_that_was_moved_begins_anew(tmp_path: Path) -> None:
    """What the thread could not move, the writer does, and the next commit begins at the front of
    the file: it never shrinks for that, since making it longer is what takes time."""
    lock = SideLock(tmp_path / "lock")
    connection = connect(tmp_path / "some.db", write=True)
    migrate(connection, tmp_path / "some.db")
    log_path = tmp_path / "some.db-wal"
    connection.execute("create table t (x)")

    def round_of_the_log() -> bytes:
        return log_path.read_bytes()[12:24]  # its number, and the salt of its commits

    def write() -> None:
        connection.execute("insert into t values (zeroblob(5000))")

    log = log_file.LogFile(tmp_path / "some.db", connection)
    try:
        write()
        first = round_of_the_log()
        reader = sqlite3.connect(tmp_path / "some.db", isolation_level=None)
        reader.execute("begin")
        assert reader.execute("select count(*) from t").fetchone() == (1,)
        for _ in range(log_file._ROWS + 1):
            connection.execute("update t set x = zeroblob(5001)")
        log.keep_short(lock)  # the thread moves what the reader does not need
        until = time.monotonic() + 60
        while not log._nearly_moved and time.monotonic() < until:
            time.sleep(0.001)
        write()
        assert round_of_the_log() == first
        reader.close()
        size = log_path.stat().st_size
        log.keep_short(lock)
        write()
        assert round_of_the_log() != first
        assert log_path.stat().st_size == size
    finally:
        log.close()
        connection.close()
        lock.close()


def test_a_turn_that_goes_on_writes_no_index(tmp_path: Path) -> None:
    """Three pages for a turn of a run that stays with its owner: its row, its events, and their
    index. One more for every index that changes."""

    async def main() -> None:
        async with opened(tmp_path) as world:
            await world.create(new_run("run"))
            (run,) = (await world.claim_runs("me", 1)).runs
            head, sizes = run.head, []
            for n in range(30):
                event = NewEvent(type="step_created", at=n, ref=f"s{n}", name="s")
                append = Append(
                    run_id="run", worker="me", fence=run.fence, expected=head, at=n,
                    events=(event,), seen=1, python=None if n else "3.11",
                )  # fmt: skip
                before = (tmp_path / "workflow.db-wal").stat().st_size
                done = await world.append(append)
                assert done.ok
                head = done.head
                sizes.append((tmp_path / "workflow.db-wal").stat().st_size - before)
            assert sizes[0] > sorted(sizes)[15] == 3 * (4096 + 24)
            found = await world.get_run("run")
            assert found is not None
            assert (found.head, found.owner, found.status, found.claims) == (31, "me", "running", 0)

    asyncio.run(main())

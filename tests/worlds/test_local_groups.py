"""The SQLite world does what comes together with few statements, and asks nothing twice."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from workflow.errors import WorkflowRunNotFoundError, WorldError
from workflow.testing.clock import VirtualClock
from workflow.world.records import Append, Letter, NewEvent, NewRun, NewTask, RunRecord
from workflow.worlds.local import LocalWorld, create_local_world


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[LocalWorld]:
    world = create_local_world(folder, VirtualClock())
    await world.open()
    try:
        yield world
    finally:
        await world.close()


@contextmanager
def statements(connection: sqlite3.Connection) -> Iterator[list[str]]:
    """The first words of the statements that a connection runs."""
    seen: list[str] = []

    def note(statement: str) -> None:
        lines = [line for line in statement.splitlines() if not line.startswith("--")]
        seen.append(lines[0].split()[0].lower())

    connection.set_trace_callback(note)
    try:
        yield seen
    finally:
        connection.set_trace_callback(None)


def new_run(run_id: str) -> NewRun:
    return NewRun(run_id=run_id, workflow="flow", input=b"in", meta=b"{}")


async def own(world: LocalWorld, count: int) -> list[RunRecord]:
    """Create runs and claim them."""
    await asyncio.gather(*(world.create(new_run(f"r{n:02}")) for n in range(count)))
    return list((await world.claim_runs("me", count)).runs)


def step_done(run: RunRecord, **more: object) -> Append:
    """The append of a turn with a result and a call."""
    events = (
        NewEvent(type="step_completed", at=1, ref="s1", payload=b"1"),
        NewEvent(type="step_created", at=1, ref="s2", payload=b"2"),
    )
    return Append(
        run_id=run.run_id, worker="me", fence=run.fence, expected=run.head, at=1, events=events,
        seen=run.mail, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def test_appends_of_many_runs(tmp_path: Path) -> None:
    """Fifty turns that come together take one commit and a statement for each table."""

    async def main() -> None:
        async with opened(tmp_path) as world:
            runs = await own(world, 50)
            with statements(world._open_files().connection) as seen:
                answers = await asyncio.gather(*(world.append(step_done(run)) for run in runs))
            assert [(answer.ok, answer.head) for answer in answers] == [(True, 3)] * 50
            assert seen == ["begin", "update", "insert", "commit"]
            for run in runs:
                assert [e.seq for e in await world.list_events(run.run_id)] == [1, 2, 3]

    asyncio.run(main())


def test_short_and_long_operations_in_one_group(tmp_path: Path) -> None:
    """Operations of all kinds that come together get their answers, refusals too."""

    async def main() -> None:
        async with opened(tmp_path) as world:
            one, two, three = await own(world, 3)
            task = NewTask(step_id="s2", name="step", payload=b"")
            with statements(world._open_files().connection) as seen:
                answers = await asyncio.gather(
                    world.append(step_done(one)),
                    world.append(step_done(two)),
                    world.append(step_done(three, letters=(("r00", Letter(kind="wake")),))),
                    world.append(step_done(one, add_tasks=(task,))),  # of a head that is gone
                    world.post("r01", Letter(kind="wake")),
                    world.create(new_run("new")),
                    world.create(new_run("new")),
                    return_exceptions=True,
                )
            oks = [getattr(answer, "ok", None) for answer in answers[:4]]
            assert oks == [True, True, True, False]
            assert [getattr(answer, "created", None) for answer in answers[5:]] == [True, False]
            assert seen.count("commit") == 2  # two appends of one run never share a group
            assert await world.list_tasks("r00") == ()
            assert [letter.n for letter in await world.list_letters("r00")] == [2]
            assert [letter.n for letter in await world.list_letters("r01")] == [2]

    asyncio.run(main())


def test_loads_of_many_runs(tmp_path: Path) -> None:
    """Runs that are loaded together are read together, each as it is, unknown ones too."""

    async def main() -> None:
        async with opened(tmp_path) as world:
            runs = await own(world, 30)
            for run in runs[:3]:
                await world.append(step_done(run))
                await world.post(run.run_id, Letter(kind="step_completed", ref=run.run_id))
            with statements(world._open_files().reader) as seen:
                loaded = await asyncio.gather(
                    *(world.load(run.run_id) for run in runs),
                    world.load("nobody"),
                    world.load("r00", after=2, limit=0),
                    return_exceptions=True,
                )
            assert len(seen) == 7
            *whole, unknown, part = loaded
            assert isinstance(unknown, WorkflowRunNotFoundError)
            for n, one in enumerate(whole):
                assert not isinstance(one, BaseException)
                assert one.run.run_id == f"r{n:02}"
                assert [e.seq for e in one.events] == ([1, 2, 3] if n < 3 else [1])
                assert one.lettered == (frozenset({f"r{n:02}"}) if n < 3 else frozenset())
            assert not isinstance(part, BaseException)
            assert ([e.seq for e in part.events], part.letters) == ([3], ())
            assert part.lettered == {"r00"}

    asyncio.run(main())


def test_more_letters_than_a_group_reads(tmp_path: Path) -> None:
    """A load with a high limit gives as many letters as there are, in order."""

    async def main() -> None:
        async with opened(tmp_path) as world:
            await world.create(new_run("run"))
            letters = (Letter(kind="wake", ref=str(n)) for n in range(300))
            await asyncio.gather(*(world.post("run", letter) for letter in letters))
            assert len((await world.load("run")).letters) == 256
            all_of_them = (await world.load("run", limit=1000)).letters
            assert [letter.ref for letter in all_of_them] == [str(n) for n in range(300)]

    asyncio.run(main())


def test_a_failing_read_fails_its_askers_only(tmp_path: Path) -> None:
    """An error while reading reaches everybody who asked in that turn; the next turn works."""

    async def main() -> None:
        async with opened(tmp_path) as world:
            await world.create(new_run("run"))
            bad = world.load("other", after=2**63)  # no number that SQLite could take
            found = await asyncio.gather(bad, world.load("run"), return_exceptions=True)
            assert all(isinstance(one, Exception) for one in found)
            assert (await world.load("run")).run.run_id == "run"
        with pytest.raises(WorldError, match="not open"):
            await world.load("run")

    asyncio.run(main())


def test_nothing_to_claim_is_remembered(tmp_path: Path) -> None:
    """Looking again costs no statement, until there is work, from whomever it comes."""

    async def main() -> None:
        async with opened(tmp_path) as world, opened(tmp_path) as other:
            assert (await world.claim_runs("me", 9)).runs == ()
            assert await world.claim_tasks("me", 9, ["step"]) == ()
            with statements(world._open_files().reader) as seen:
                assert (await world.claim_runs("me", 9)).runs == ()
                assert await world.claim_tasks("me", 9, ["step"]) == ()
            assert seen == []
            # Without waiting for any notification: an answered call is seen by the next look.
            await other.create(new_run("run"))
            (run,) = (await world.claim_runs("me", 9)).runs
            assert (await other.claim_runs("you", 9)).runs == ()
            task = NewTask(step_id="s2", name="step", payload=b"")
            await world.append(step_done(run, add_tasks=(task,)))
            assert len(await other.claim_tasks("you", 9, ["step"])) == 1

    asyncio.run(main())

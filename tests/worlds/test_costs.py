"""What a run costs in commits and statements. `benchmarks` has what that is in time."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

import wfc
from tests import postgres
from tests.faults.stage import soon
from workflow.api import start
from workflow.engine import Application, Project
from workflow.world.port import World
from workflow.world.records import Claimed
from workflow.worlds import memory
from workflow.worlds.local import LocalWorld, create_local_world
from workflow.worlds.postgres import PostgresWorld

FLOWS = """
import asyncio

async def nothing(n: int) -> int:
    "use step"
    return n

async def sequence(length: int) -> int:
    "use workflow"
    total = 0
    for n in range(length):
        total += await nothing(n)
    return total

async def fan_out(width: int) -> int:
    "use workflow"
    return sum(await asyncio.gather(*[nothing(n) for n in range(width)]))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The workflows above, built."""
    folder = tmp_path_factory.mktemp("costs")
    (folder / "cost_flows.py").write_text(FLOWS)
    wfc.build(folder)
    return Project.load(folder / "generated")


@pytest.fixture(autouse=True)
def _no_check(monkeypatch: pytest.MonkeyPatch) -> None:
    # The check of turns by a cold replay reads the log again.
    monkeypatch.setenv("WORKFLOW_REPLAY_CHECK", "0")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each statement was sent to PostgreSQL, by the name it has in `queries`."""
    sent: Counter[str] = Counter()
    lock = threading.Lock()
    execute = psycopg.Connection.execute

    def noting(self: Any, query: Any, *args: Any, **more: Any) -> Any:
        text = query if isinstance(query, bytes) else str(query).encode()
        with lock:
            sent[_name(text)] += 1
        return execute(self, query, *args, **more)

    monkeypatch.setattr(psycopg.Connection, "execute", noting)
    return sent


_names: dict[bytes, str] = {}


def _name(text: bytes) -> str:
    for query, name in _names.items():
        if text == query or (name.startswith("append_") and text.startswith(query)):
            return name
    return text.decode()[:40]


@contextmanager
def postgres_world() -> Iterator[PostgresWorld]:
    """A world whose statements `told` knows by name."""
    world = postgres.new_world(at=postgres.new_database())
    _names.clear()
    _names.update({query: name for name, query in world.database.queries.items()})
    yield world


def ids_given(world: PostgresWorld) -> int:
    """How many transactions have written anything so far, by anybody."""
    with psycopg.connect(world.database.url) as connection:
        row = connection.execute("select txid_snapshot_xmax(txid_current_snapshot())").fetchone()
        assert row is not None
        return int(row[0])


async def run(name: str, size: int) -> None:
    """A run from its start to its result."""
    assert await (await start(name, size)).return_value == sum(range(size))


async def fewest(
    world: PostgresWorld, told: Counter[str], name: str, size: int
) -> tuple[Counter[str], int]:
    """What a run sends, and how many transactions of it write, signs of life left out. The server
    counts those of other databases, too, so it is the least of some rounds."""
    rounds = []
    for _ in range(5):
        before = ids_given(world)
        told.clear()
        await run(name, size)
        sent = told.copy()
        given = ids_given(world) - before
        rounds.append((given - sent["renew_lease"] - _notifications(sent), sent))
    written, sent = min(rounds, key=lambda each: each[0])
    return sent, written


@pytest.mark.parametrize("kind", ["memory", "local", "postgres"])
def test_a_worker_does_not_look_for_work_after_each_step_of_its_own(
    kind: str, tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Turns that only make a log longer wake nobody who has room for more work."""
    looks = before = 0

    async def main() -> None:
        nonlocal before
        world: World
        match kind:
            case "memory":
                world = memory.create()
            case "local":
                world = create_local_world(tmp_path / "data")
            case _:
                world = postgres.new_world(at=postgres.new_database())
        claim_runs = world.claim_runs

        async def counted(worker: str, limit: int) -> Claimed:
            nonlocal looks
            looks += 1
            return await claim_runs(worker, limit)

        monkeypatch.setattr(world, "claim_runs", counted)
        async with Application(world, project):
            await run("sequence", 1)
            before = looks  # one may be under way, and find the next run
            await run("sequence", 50)

    asyncio.run(main())
    assert before > 0
    assert looks - before < 25


@pytest.mark.fault("C4")
def test_a_sequential_step_is_one_commit_in_sqlite(tmp_path: Path, project: Project) -> None:
    """A run of n steps: one commit for its start, its claim, each step, and its end."""
    commits: Counter[str] = Counter()

    async def main() -> None:
        world = create_local_world(tmp_path / "data")
        async with Application(world, project):
            await run("sequence", 1)
            with _traced(world, commits):
                await run("sequence", 20)

    asyncio.run(main())
    assert commits["begin immediate"] - commits["beats"] <= 20 + 3, commits


@contextmanager
def _traced(world: LocalWorld, seen: Counter[str]) -> Iterator[None]:
    connection = world._writer._connection

    def note(statement: str) -> None:
        seen["beats" if "workers" in statement and "insert" in statement else statement] += 1

    connection.set_trace_callback(note)
    try:
        yield
    finally:
        connection.set_trace_callback(None)


@pytest.mark.fault("C4")
def test_a_sequential_step_is_one_statement_in_postgresql(
    project: Project, told: Counter[str]
) -> None:
    """A run of n steps: a transaction for its start, its claim, each step, and its end, counted by
    the server. A step is one statement in one round trip."""

    async def main(world: PostgresWorld) -> tuple[Counter[str], int]:
        async with Application(world, project):
            await run("sequence", 1)
            return await fewest(world, told, "sequence", 20)

    with postgres_world() as world:
        sent, written = asyncio.run(main(world))
    assert sent["append_one"] == 20 + 1, sent
    assert sent["append_many"] == 0
    assert sent["add_runs"] == 1
    assert written <= 20 + 3, (written, sent)
    reads = sent["load_events"] + sent["claim_tasks"] + sent["claim_runs"]
    assert reads < 20, sent  # own results need no read


def _notifications(sent: Counter[str]) -> int:
    return sum(count for name, count in sent.items() if name.startswith("select pg_notify"))


@pytest.mark.parametrize("limit", [None, "1000"])
def test_parallel_steps_share_commits(
    project: Project, told: Counter[str], limit: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 200 steps at once, claims, results and the turns that read them are batched: there are
    fewer transactions than steps, and fewer turns than transactions."""
    if limit is not None:
        monkeypatch.setenv("WORKFLOW_WORKER_CONCURRENCY", limit)

    async def main(world: PostgresWorld) -> tuple[Counter[str], int]:
        async with Application(world, project):
            await run("fan_out", 20)
            return await fewest(world, told, "fan_out", 200)

    with postgres_world() as world:
        sent, written = asyncio.run(main(world))
    assert written < 100, (written, sent)
    assert sent["append_one"] <= 60, sent
    assert sent["finish_tasks"] <= 60, sent


@pytest.mark.fault("C4")
def test_an_idle_worker_only_shows_that_it_lives(project: Project, told: Counter[str]) -> None:
    """While there is nothing to do, a worker renews its lease, looks for the dead, and looks for
    work it was not told of only once in some two seconds."""

    async def main(world: PostgresWorld) -> Counter[str]:
        async with Application(world, project):
            await run("sequence", 1)
            await _beats(told, 2)  # what the run has left behind
            told.clear()
            await _beats(told, 8)  # four seconds
            return told.copy()

    with postgres_world() as world:
        sent = asyncio.run(main(world))
    looks = ("claim_runs", "own_due", "next_due", "claim_tasks", "next_task_due", "unclaimed_tasks")
    beats = ("renew_lease", "drop_lost_workers", "lost_runs", "lost_tasks")
    for name in looks:
        assert sent[name] <= 4, sent
    for name in beats:
        assert sent[name] <= 10, sent
    others = {name for name in sent if name not in looks + beats}
    assert {name.split(" ")[0].lower() for name in others} <= {
        "begin", "set", "commit", "select", "rollback",
    }, sent  # fmt: skip
    assert _notifications(sent) == 0, sent


async def _beats(sent: Counter[str], count: int) -> None:
    begun = sent["renew_lease"]

    async def enough() -> bool:
        return sent["renew_lease"] >= begun + count

    await soon(enough, "signs of life")

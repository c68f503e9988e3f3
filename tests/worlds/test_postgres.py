"""What only the PostgreSQL world has: set-up, schemas side by side, other people's transactions."""

from __future__ import annotations

import asyncio
import shutil
import traceback
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from click.testing import CliRunner
from psycopg import AsyncConnection

from tests import postgres
from wfc.cli import main as wfc
from workflow.errors import WorldError, WorldUnavailableError
from workflow.testing.cases.bench import Bench
from workflow.testing.clock import VirtualClock
from workflow.world.records import Append, NewRun, NewTask, RunFilter, WorkerRecord
from workflow.worlds.postgres import create_postgres_world, listener, store
from workflow.worlds.postgres.store import SCHEMA_VERSION


def run(run_id: str, **more: object) -> NewRun:
    return NewRun(run_id=run_id, workflow="flow", input=b"in", meta=b"{}", **more)  # type: ignore[arg-type]


def test_opening_a_database_that_is_not_set_up_says_what_to_do() -> None:
    """A schema that is missing is an error that names the command."""
    world = create_postgres_world(postgres.url(), schema="never_made")
    with pytest.raises(WorldError, match="wfc world setup"):
        asyncio.run(world.open())


@pytest.mark.fault("F40")
def test_a_newer_schema_is_left_alone() -> None:
    """A database of a later version is refused, and setting up does not touch it."""
    world = postgres.new_world()
    with world.database.connect() as connection:
        connection.execute(
            f"insert into {world.database.quoted}.workflow_schema values (%s)".encode(),
            (SCHEMA_VERSION + 1,),
        )
        with pytest.raises(WorldError, match="upgrade workflow-compiler"):
            world.database.migrate(connection)
    with pytest.raises(WorldError, match="upgrade workflow-compiler"):
        asyncio.run(world.open())


@pytest.mark.fault("C11")
def test_schemas_are_worlds_of_their_own() -> None:
    """Two schemas of one database know nothing of each other's runs and work."""

    async def main() -> None:
        clock = VirtualClock()
        one, two = postgres.new_world(clock), postgres.new_world(clock)
        for world in (one, two):
            await world.open()
        try:
            await one.create(run("r"))
            assert (await two.claim_runs("bob", 10)).runs == ()
            assert (await two.list_runs(RunFilter())).items == ()
            assert (await two.create(run("r"))).created
            assert [r.run_id for r in (await one.claim_runs("ann", 10)).runs] == ["r"]
        finally:
            for world in (one, two):
                await world.close()

    asyncio.run(main())


@pytest.mark.fault("F26")
@pytest.mark.parametrize("commit", [True, False])
@pytest.mark.parametrize("is_async", [True, False])
def test_a_run_started_in_a_transaction_shares_its_fate(commit: bool, is_async: bool) -> None:
    """With a commit there are both the caller's row and the run, else neither."""

    async def main() -> None:
        world = postgres.new_world()
        await world.open()
        table = f"{world.database.quoted}.orders"
        try:
            with world.database.connect() as admin:
                admin.execute(f"create table {table} (id int)".encode())
                if is_async:
                    async with await AsyncConnection.connect(postgres.url()) as theirs:
                        await theirs.execute(f"insert into {table} values (1)".encode())
                        assert (await world.create_on(theirs, run("r"))).created
                        await (theirs.commit() if commit else theirs.rollback())
                else:
                    with psycopg.connect(postgres.url()) as mine:
                        mine.execute(f"insert into {table} values (1)".encode())
                        assert (await world.create_on(mine, run("r"))).created
                        mine.commit() if commit else mine.rollback()
                found = admin.execute(f"select count(*) from {table}".encode()).fetchone()
            assert found == (int(commit),)
            assert (await world.get_run("r") is not None) is commit
            claimed = await world.claim_runs("ann", 10)
            assert [r.run_id for r in claimed.runs] == (["r"] if commit else [])
            assert claimed.runs == () or claimed.runs[0].input == b"in"
        finally:
            await world.close()

    asyncio.run(main())


def test_a_key_used_before_gives_the_first_run() -> None:
    """Starting twice in transactions with one idempotency key gives one run."""

    async def main() -> None:
        world = postgres.new_world()
        await world.open()
        try:
            with psycopg.connect(postgres.url()) as mine:
                first = await world.create_on(mine, run("r1", idempotency_key="k"))
            with psycopg.connect(postgres.url()) as mine:
                second = await world.create_on(mine, run("r2", idempotency_key="k"))
            assert (first.run_id, first.created) == ("r1", True)
            assert (second.run_id, second.created) == ("r1", False)
            with pytest.raises(TypeError, match="psycopg"):
                await world.create_on(object(), run("r3"))
        finally:
            await world.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    "url",
    [
        "postgres://world:geheim@127.0.0.1:1/world",
        "postgres://world:geh@geheim@127.0.0.1:1/world",
        "postgres://world:1/geheim@127.0.0.1:1/world",
        "postgres://world:geheim/x@127.0.0.1:1/world",
        "postgres://world:x?geheim@127.0.0.1:1/world",
        "postgres://world:x#geheim@127.0.0.1:1/world",
        "postgres://world:geheim%zz@127.0.0.1:1/world",
        "postgres://world:geheim@127.0.0.1:port/world",
        "postgress://world:geheim@127.0.0.1:1/world",
        "user=world password=geheim host=127.0.0.1 port=1",
        "user=world password='geheim host=127.0.0.1 port=1",
        "world geheim",
    ],
)
def test_no_text_shows_the_password(url: str) -> None:
    """Neither errors with their traces, nor `wfc world setup`, nor what shows a world as text have
    the password in them, however badly the address is written."""
    world = create_postgres_world(url)
    with pytest.raises(WorldError) as caught:
        asyncio.run(world.open())
    shown = "".join(traceback.format_exception(caught.value))
    shown = "\n".join(line for line in shown.splitlines() if not line.startswith("    "))  # code
    done = CliRunner().invoke(wfc, ["world", "setup", "--url", url])
    assert done.exit_code == 2
    for text in (shown, done.output, repr(world), repr(world.database)):
        assert "geheim" not in text


def test_what_to_correct_in_the_address() -> None:
    """A database that is missing, a password that is refused and a server that does not answer are
    told apart, and the variable that holds the address is named."""
    elsewhere = urlunsplit(urlsplit(postgres.url())._replace(path="/nowhere"))
    with pytest.raises(WorldError, match="create the database or correct WORKFLOW_POSTGRES_URL"):
        asyncio.run(create_postgres_world(elsewhere).open())
    closed = create_postgres_world("postgres://world:world@127.0.0.1:1/world")
    with pytest.raises(WorldUnavailableError, match=r"is it running, and is WORKFLOW_POSTGRES_URL"):
        asyncio.run(closed.open())
    # The server of the tests takes any password, so what others say is given by hand.
    refused = psycopg.OperationalError('FATAL:  password authentication failed for user "world"')
    error = closed.database.describe(refused)
    assert "does not take this user and password" in str(error)
    assert not isinstance(error, WorldUnavailableError)


# -- new versions of the schema ----------------------------------------------------------------


def _next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """An installation whose schema is one version ahead."""
    scripts = tmp_path / "scripts"
    shutil.copytree(store._SCRIPTS, scripts)
    (scripts / f"{store.SCHEMA_VERSION + 1}.sql").write_text(script)
    monkeypatch.setattr(store, "_SCRIPTS", scripts)
    monkeypatch.setattr(store, "SCHEMA_VERSION", store.SCHEMA_VERSION + 1)


@pytest.mark.fault("F40")
def test_migration_beside_a_world_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A column that `wfc world setup` adds disturbs nobody whose statements are prepared, and all
    runs are there for a newer installation."""

    async def main() -> None:
        world = postgres.new_world()
        await world.open()
        try:
            for n in range(8):  # by now everything is prepared
                await world.create(run(f"a{n}"))
                await world.get_run(f"a{n}")
                await world.load(f"a{n}")
            (claimed,) = (await world.claim_runs("ann", 1)).runs
            script = "alter table {schema}.workflow_runs add column colour text;"
            _next_version(tmp_path, monkeypatch, script)
            with world.database.connect() as connection:
                assert world.database.migrate(connection) == store.SCHEMA_VERSION - 1
            await world.create(run("b"))
            assert await world.get_run("b") is not None
            assert (await world.load(claimed.run_id)).run.owner == "ann"
            assert len((await world.claim_runs("ann", 20)).runs) == 8
            assert len((await world.list_runs(RunFilter())).items) == 9
        finally:
            await world.close()
        newer = create_postgres_world(postgres.url(), schema=world.database.schema)
        await newer.open()
        try:
            assert len((await newer.list_runs(RunFilter())).items) == 9
        finally:
            await newer.close()

    asyncio.run(main())


@pytest.mark.fault("F40")
def test_a_failed_migration_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a statement of a script fails, the version and the tables stay what they were."""
    world = postgres.new_world()
    script = "alter table {schema}.workflow_runs add column colour text; select 1 / 0;"
    _next_version(tmp_path, monkeypatch, script)
    with world.database.connect() as connection:
        with pytest.raises(WorldError, match="division by zero"):
            world.database.migrate(connection)
        assert world.database.version(connection) == store.SCHEMA_VERSION - 1
        with pytest.raises(psycopg.errors.UndefinedColumn):
            connection.execute(f"select colour from {world.database.quoted}.workflow_runs".encode())


def _set_up(schema: str, url: str) -> int:
    database = create_postgres_world(url, schema=schema).database
    with database.connect() as connection:
        return database.migrate(connection)


def test_processes_that_set_up_at_once() -> None:
    """Of several processes that set up one schema, one makes it and the others find it made."""
    schema = f"{postgres.new_world().database.schema}_at_once"
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as processes:
        before = list(processes.map(_set_up, [schema] * 8, [postgres.url()] * 8))
    assert sorted(before) == [0] + [store.SCHEMA_VERSION] * 7


def test_others_hear_of_suspects_that_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim takes one run or task that died twice, and locks the others meanwhile. Whoever looked
    just then saw none, and is told to look again."""
    monkeypatch.setattr(listener, "_SLOW_POLL", 3600.0)  # nobody looks without being told

    async def main() -> None:
        clock = VirtualClock()
        one = postgres.new_world(clock)
        two = postgres.new_world(clock, schema=one.database.schema)
        for world in (one, two):
            await world.open()
        try:
            for name in ("a", "b", "c"):
                await one.create(run(name))
            (owned, *_) = (await one.claim_runs("dead", 9)).runs
            tasks = [NewTask(step_id=s, name="s", payload=b"", attempt=2) for s in "xyz"]
            asked = Append(
                run_id=owned.run_id, worker="dead", fence=owned.fence, expected=1, at=0,
                seen=owned.mail, add_tasks=tuple(tasks), release=True,
            )  # fmt: skip
            assert (await one.append(asked)).ok
            for _ in range(2):
                await one.beat(WorkerRecord(worker="other", lease_until=clock.now() + 10**9))
                clock.advance(1)
                await one.claim_runs("dead", 9)
            await one.beat(WorkerRecord(worker="other", lease_until=clock.now() + 10**9))
            clock.advance(5)
            seen = await Bench(two, clock).quiet()
            claimed = await one.claim_runs("ann", 9)
            assert (len(claimed.runs), claimed.more) == (1, True)
            async with asyncio.timeout(60):
                await two.wait_for_change(seen, None)
            seen = await Bench(two, clock).quiet()
            assert len(await one.claim_tasks("ann", 9, ["s"])) == 1
            async with asyncio.timeout(60):
                await two.wait_for_change(seen, None)
        finally:
            for world in (one, two):
                await world.close()

    asyncio.run(main())

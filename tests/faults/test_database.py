"""PostgreSQL restarts, drops connections, answers late or never; nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import postgres
from tests.faults.history import check_run
from tests.faults.pooler import Pooler
from tests.faults.proxy import Proxy
from tests.faults.stage import Stage, ended, soon
from workflow.api import start
from workflow.engine import Application
from workflow.errors import WorldError
from workflow.world.records import (
    Append,
    Finish,
    Letter,
    NewEvent,
    NewRun,
    NewTask,
    RunFilter,
    WorkerRecord,
)
from workflow.worlds.postgres import PostgresWorld, create_postgres_world, writer


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    """A server that these tests may stop."""
    own = postgres.Server()
    yield own
    own.remove()


def new_run(run_id: str, **more: Any) -> NewRun:
    return NewRun(run_id=run_id, workflow="flow", input=b"in", meta=b"{}", **more)


async def with_task(world: PostgresWorld, run_id: str, owner: str = "ann") -> None:
    """A run that has handed out one task and has no owner."""
    await world.beat(WorkerRecord(worker=owner, lease_until=world.now() + 60_000_000))
    await world.create(new_run(run_id))
    (run,) = (await world.claim_runs(owner, 1)).runs
    task = NewTask(step_id="s1", name="step", payload=b"")
    done = await world.append(
        Append(
            run_id=run_id, worker=owner, fence=run.fence, expected=run.head, at=world.now(),
            seen=run.mail, add_tasks=(task,), release=True,
        )
    )  # fmt: skip
    assert done.ok


def backends(server_url: str) -> list[int]:
    """The server processes of the connections that worlds have to a database."""
    with psycopg.connect(server_url, autocommit=True) as admin:
        found = admin.execute(
            "select pid from pg_stat_activity "
            "where application_name = 'workflow' and datname = current_database() order by pid"
        )
        return [pid for (pid,) in found]


# -- restarts and lost connections -----------------------------------------------------------


@pytest.mark.fault("F9", "C5", "C9")
def test_a_crash_of_the_server_loses_nothing(server: postgres.Server, tmp_path: Path) -> None:
    """F9: stopped with `immediate` under load and started again: every acknowledged start ends
    (P1, P2), and the workers are back within five seconds."""

    async def main(stage: Stage) -> None:
        async with stage.application() as application:
            world = application.world
            for _ in range(2):
                stage.spawn()
            acknowledged: list[str] = []

            async def begin() -> None:
                while True:
                    with contextlib.suppress(WorldError):
                        acknowledged.append((await start("mixed_without_hook", 1)).run_id)
                    await asyncio.sleep(0.1)

            beginning = asyncio.create_task(begin())
            await soon(_true(lambda: len(stage.bodies()) > 50), "load")
            took: list[float] = []
            while len(took) < 2 or (min(took) >= 5 and len(took) < 6):  # the machine may be busy
                await asyncio.to_thread(server.stop, signal.SIGQUIT)
                many = len(acknowledged)
                await asyncio.to_thread(server.start)
                up = time.monotonic()
                lines = len(stage.bodies())
                await soon(_true(lambda m=many: len(acknowledged) > m), "another start")
                await soon(_true(lambda n=lines: len(stage.bodies()) > n), "another step")
                took.append(time.monotonic() - up)
            assert min(took) < 5, took
            beginning.cancel()
            await asyncio.gather(beginning, return_exceptions=True)
            results = [sum(range(0, 120, 10)) + 1] * 2
            for run_id in acknowledged:
                await ended(world, run_id)
                await check_run(world, run_id, stage.bodies(), sum(results))
            runs = (await world.list_runs(RunFilter(), limit=100_000)).items
            assert {run.status for run in runs} <= {"completed", "pending", "running"}

    with Stage(tmp_path, "postgres", url=server.url).clearing() as stage:
        asyncio.run(main(stage))


def _true(look: Any) -> Any:
    async def looked() -> bool:
        return bool(look())

    return looked


@pytest.mark.fault("F11")
def test_each_connection_may_be_terminated(server: postgres.Server, tmp_path: Path) -> None:
    """F11: whichever of our connections the server ends, the one that listens included, the next
    run goes through, and somebody listens again."""

    async def main(stage: Stage) -> None:
        world = stage.world()
        assert isinstance(world, PostgresWorld)
        async with Application(world, stage.project):
            with psycopg.connect(server.url, autocommit=True) as admin:
                for pid in await asyncio.to_thread(backends, server.url):
                    admin.execute("select pg_terminate_backend(%s)", (pid,))
                    run = await start("chain", 3)
                    await ended(world, run.run_id)

                async def listens() -> bool:
                    found = admin.execute(
                        "select 1 from pg_stat_activity where application_name = 'workflow' "
                        "and (query like 'listen%' or query like 'select pg_notify%')"
                    )
                    return found.fetchone() is not None

                await soon(listens, "listening")

    with Stage(tmp_path, "postgres", url=server.url).clearing() as stage:
        asyncio.run(main(stage))


@pytest.mark.fault("F12")
def test_a_lost_answer_to_a_commit_is_found_out(tmp_path: Path) -> None:
    """F12: the connection is cut when the answer to an append, a post or a claim is on its way.
    A start, posts and a termination find out that they are in; the owner of the run finds its
    append in, and the claimer its task (P2)."""

    async def main() -> None:
        with Proxy(postgres.url()) as proxy:
            world = postgres.new_world(at=proxy.url)
            await world.open()
            try:
                await with_task(world, "r")
                cut = proxy.cut_at_answer(lambda data: b"INSERT" in data and b"COMMIT" in data)
                unkeyed = Letter(kind="wake", ref="one")
                assert (await world.post("r", unkeyed)).outcome == "posted"
                assert cut.is_set()
                assert (await world.list_letters("r"))[0].dedupe is None
                assert [x.ref for x in await world.list_letters("r")] == ["one"]
                cut = proxy.cut_at_answer(lambda data: b"INSERT" in data and b"COMMIT" in data)
                keyed = Letter(kind="wake", ref="two", dedupe="k")
                assert (await world.post("r", keyed)).outcome == "posted"
                assert cut.is_set()
                assert [x.ref for x in await world.list_letters("r")] == ["one", "two"]
                cut = proxy.cut_at_answer(lambda data: b"INSERT" in data and b"COMMIT" in data)
                made = await world.create(new_run("s"))
                assert cut.is_set()
                assert (made.run_id, made.created) == ("s", True)
                assert [e.seq for e in await world.list_events("s")] == [1]
                cut = proxy.cut_at_answer(lambda data: b"INSERT" in data and b"COMMIT" in data)
                assert await world.terminate("s", NewEvent(type="x", at=0), b"", "terminated")
                assert cut.is_set()
                assert [e.type for e in await world.list_events("s")] == ["run_created", "x"]
                assert not await world.terminate("s", NewEvent(type="x", at=0), b"x", "terminated")
                cut = proxy.cut_at_answer(lambda data: b"COMMIT" in data and b"SET" not in data)
                (task,) = await world.claim_tasks("ann", 5, ["step"])
                assert cut.is_set()
                assert (task.step_id, task.owner, task.attempt) == ("s1", "ann", 1)
                assert await world.claim_tasks("ann", 5, ["step"]) == ()
                (run,) = (await world.claim_runs("ann", 1)).runs
                event = NewEvent(type="x", at=world.now())
                append = Append(
                    run_id="r", worker="ann", fence=run.fence, expected=run.head, at=world.now(),
                    events=(event,), seen=run.mail,
                )  # fmt: skip
                cut = proxy.cut_at_answer(lambda data: b"SELECT 1\0" in data and b"SET" not in data)
                with pytest.raises(WorldError, match="not known"):
                    await world.append(append)
                assert cut.is_set()
                loaded = await world.load("r")
                assert (loaded.run.head, loaded.run.owner) == (run.head + 1, "ann")
                assert not (await world.append(append)).ok
            finally:
                await world.close()

    asyncio.run(main())


@pytest.mark.fault("F14")
def test_runs_survive_a_line_that_drops_and_delays(tmp_path: Path) -> None:
    """F14, F12: a share of the server's answers is swallowed, whatever they answer, and the
    connection cut; what comes through comes late. Slower, and correct."""

    async def main(stage: Stage, proxy: Proxy) -> None:
        world = create_postgres_world(proxy.url, schema=stage.schema)
        async with Application(world, stage.project), stage.application() as outside:
            runs = [await start("mixed_without_hook", 1) for _ in range(6)]
            proxy.delay, proxy.reset_share = 0.002, 0.01
            for run in runs:
                await ended(outside.world, run.run_id)
            proxy.delay = proxy.reset_share = 0.0
            assert proxy.resets > 0
            total = 2 * (sum(range(0, 120, 10)) + 1)
            for run in runs:
                await check_run(outside.world, run.run_id, stage.bodies(), total)

    with (
        Proxy(postgres.url(), seed=3) as proxy,
        Stage(tmp_path, "postgres").clearing() as stage,
    ):
        asyncio.run(main(stage, proxy))


@pytest.mark.fault("F13")
def test_a_worker_cut_off_without_a_word_loses_its_lease(tmp_path: Path) -> None:
    """F13: the line of a worker swallows everything. Another one takes over when the lease has run
    out, and what the first one says when it is heard again counts for nothing (P4)."""

    async def main(stage: Stage, proxy: Proxy) -> None:
        async with stage.application() as application:
            world = application.world
            gate = tmp_path / "gate"
            stage.spawn(WORKFLOW_POSTGRES_URL=proxy.url)
            run = await start("held", str(gate), 60.0)
            await soon(_true(stage.bodies), "the first body")
            proxy.deaf = True
            stage.spawn()
            await soon(_true(lambda: len(stage.bodies()) == 2), "the second body")
            gate.touch()
            await ended(world, run.run_id)
            proxy.deaf = False
            proxy.cut()
            again = await start("chain", 2)
            await ended(world, again.run_id)
            await check_run(world, run.run_id, stage.bodies(), "there")

    with Proxy(postgres.url()) as proxy, Stage(tmp_path, "postgres").clearing() as stage:
        asyncio.run(main(stage, proxy))


@pytest.mark.fault("F18")
def test_a_transaction_pooler_is_enough(tmp_path: Path) -> None:
    """F18: every transaction gets another server connection; runs, tasks, sleeps and starts from
    elsewhere go through, noticed by polling, though nothing says that there is a pooler."""

    async def main(stage: Stage) -> None:
        async with stage.application() as application:
            for _ in range(2):
                stage.spawn()
            runs = [await start("mixed_without_hook", n) for n in range(4)]
            for n, run in enumerate(runs):
                await ended(application.world, run.run_id)
                total = 2 * (sum(range(0, 120, 10)) + n)
                await check_run(application.world, run.run_id, stage.bodies(), total)

    with Pooler(postgres.url()) as pooler:
        with Stage(tmp_path, "postgres", through=pooler.url).clearing() as stage:
            asyncio.run(main(stage))
        assert pooler.switches > pooler.turns / 2 > 50


@pytest.mark.fault("F17")
def test_a_missed_notification_costs_a_poll(tmp_path: Path) -> None:
    """F17: work that nobody announced is found within five seconds."""

    async def main() -> None:
        world = postgres.new_world()
        await world.open()
        try:
            await world.beat(WorkerRecord(worker="ann", lease_until=world.now() + 60_000_000))
            await world.create(new_run("r"))
            (run,) = (await world.claim_runs("ann", 1)).runs
            await world.append(
                Append(
                    run_id="r", worker="ann", fence=run.fence, expected=1, at=0, seen=run.mail,
                    release=True,
                )
            )  # fmt: skip
            assert (await world.claim_runs("ann", 1)).runs == ()
            with world.database.connect() as silent:
                silent.execute(
                    f"update {world.database.quoted}.workflow_runs set mail = mail + 1".encode()
                )
            seen = 0
            async with asyncio.timeout(60):
                while not (await world.claim_runs("ann", 1)).runs:
                    seen = await world.wait_for_change(seen, None)
        finally:
            await world.close()

    asyncio.run(main())


# -- locks -----------------------------------------------------------------------------------


@pytest.mark.fault("F15")
def test_a_deadlock_is_nobodys_error() -> None:
    """F15: the server ends our transaction to break a deadlock; it is run again, and both sides
    get through."""

    async def main() -> None:
        world = postgres.new_world(at=f"{postgres.url()}?options=-cdeadlock_timeout%3D500ms")
        await world.open()
        table = f"{world.database.quoted}.workflow_runs"
        try:
            for run_id in ("a", "b"):
                await with_task(world, run_id)
            assert len(await world.claim_tasks("ann", 9, ["step"])) == 2
            lock = f"select 1 from {table} where run_id = %s for update".encode()
            with psycopg.connect(postgres.url()) as other:
                other.execute("set deadlock_timeout = '60s'")
                other.execute(lock, ("b",))
                letter = Letter(kind="step_completed", ref="s1", payload=b"1")
                finishes = [
                    Finish(run_id=r, step_id="s1", worker="ann", attempt=1, letter=letter)
                    for r in ("a", "b")
                ]
                finishing = asyncio.create_task(world.finish_tasks(finishes))
                await soon(_true(lambda: _waiting(postgres.url())), "a wait for the lock")
                await asyncio.to_thread(other.execute, lock, ("a",))  # ours is the victim
                other.commit()
            assert await finishing == (True, True)
            for run_id in ("a", "b"):
                assert [x.ref for x in await world.list_letters(run_id)] == ["s1"]
        finally:
            await world.close()

    asyncio.run(main())


def _waiting(url: str) -> bool:
    with psycopg.connect(url) as admin:
        found = admin.execute("select 1 from pg_stat_activity where wait_event_type = 'Lock'")
        return found.fetchone() is not None


@pytest.mark.fault("F19")
def test_a_foreign_lock_stops_one_operation_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """F19: while somebody keeps a run locked, posts to it fail by name and all others go on; a
    start with a key that an open transaction has taken fails as well, and later finds that run."""
    monkeypatch.setattr(writer, "_PATIENCE", 200)

    async def main() -> None:
        world = postgres.new_world()
        await world.open()
        table = f"{world.database.quoted}.workflow_runs"
        try:
            for run_id in ("a", "b"):
                await world.create(new_run(run_id))
            letter = Letter(kind="wake", ref="w")
            with psycopg.connect(postgres.url()) as other:
                lock = f"select 1 from {table} where run_id = 'a' for update".encode()
                other.execute(lock)
                await world.create_on(other, new_run("c", idempotency_key="k"))
                answers = await asyncio.gather(
                    world.post("a", letter),
                    world.post("b", letter),
                    world.create(new_run("d", idempotency_key="k")),
                    world.create(new_run("e")),
                    return_exceptions=True,
                )
                assert "locked for somebody else" in str(answers[0])
                assert getattr(answers[1], "outcome", answers[1]) == "posted"
                assert "locked for somebody else" in str(answers[2])
                assert getattr(answers[3], "created", answers[3]) is True
                beating = WorkerRecord(worker="ann", lease_until=world.now() + 60_000_000)
                await world.beat(beating)  # nobody's sign of life waits for a lock
            assert (await world.post("a", letter)).outcome == "posted"
            again = await world.create(new_run("d", idempotency_key="k"))
            assert (again.run_id, again.created) == ("c", False)
            assert len(await world.list_letters("b")) == 1
        finally:
            await world.close()

    asyncio.run(main())


@pytest.mark.fault("F16")
def test_a_busy_pool_waits_and_the_lease_does_not() -> None:
    """F16: fifty reads over a pool of one connection all succeed, and the sign of life has its
    own."""

    async def main() -> None:
        own = postgres.new_database()  # where no worker of another test is still being cut off
        world = postgres.new_world(at=own, pool_size=1)
        await world.open()
        try:
            await world.create(new_run("r"))
            reads = [asyncio.create_task(world.load("r")) for _ in range(50)]
            await world.beat(WorkerRecord(worker="ann", lease_until=world.now() + 1_000_000))
            assert {(await read).run.run_id for read in reads} == {"r"}
            assert len(await asyncio.to_thread(backends, own)) <= 5
        finally:
            await world.close()

    asyncio.run(main())

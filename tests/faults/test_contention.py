"""Many at once, everything twice, clocks that disagree: one outcome."""

from __future__ import annotations

import asyncio
import os
import random
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace
from psycopg.rows import dict_row

from tests import postgres
from tests.faults.stage import Stage, ended, soon
from workflow.api import start, with_options
from workflow.engine import Application
from workflow.errors import SerializationError, WorldError
from workflow.testing.clock import VirtualClock
from workflow.world.port import World
from workflow.world.records import (
    Append,
    Event,
    Finish,
    Letter,
    NewEvent,
    NewRun,
    NewTask,
    WorkerRecord,
)
from workflow.worlds.local import create_local_world
from workflow.worlds.memory import MemoryWorld
from workflow.worlds.postgres import PostgresWorld, create_postgres_world
from workflow.worlds.postgres.clock import ServerClock

SECOND = 1_000_000


def new_run(run_id: str, **more: Any) -> NewRun:
    return NewRun(run_id=run_id, workflow="flow", input=b"in", meta=b"{}", **more)


@pytest.mark.fault("F8")
def test_of_two_finishes_of_one_attempt_one_wins() -> None:
    """F8: the same result is handed in over two connections at once; it is recorded once. What
    another worker or an earlier attempt hands in before it is dropped (P4)."""

    async def main() -> None:
        one = postgres.new_world()
        two = create_postgres_world(postgres.url(), schema=one.database.schema)
        for world in (one, two):
            await world.open()
        try:
            await one.beat(WorkerRecord(worker="ann", lease_until=one.now() + 60 * SECOND))
            await one.create(new_run("r"))
            (run,) = (await one.claim_runs("ann", 1)).runs
            tasks = tuple(NewTask(step_id=f"s{n}", name="step", payload=b"") for n in range(20))
            append = Append(
                run_id="r", worker="ann", fence=run.fence, expected=1, at=one.now(), add_tasks=tasks
            )
            assert (await one.append(append)).ok
            for task in await one.claim_tasks("ann", 99, ["step"]):
                letter = Letter(kind="step_completed", ref=task.step_id, payload=b"1")
                finish = Finish(
                    run_id="r", step_id=task.step_id, worker="ann", attempt=1, letter=letter
                )
                late = replace(letter, payload=b"late")
                stale = [
                    replace(finish, worker="bob", letter=late),
                    replace(finish, attempt=0, letter=late),
                ]
                assert await two.finish_tasks(stale) == (False, False)
                won = await asyncio.gather(*(w.finish_tasks([finish]) for w in (one, two, one)))
                assert sorted(won) == [(False,), (False,), (True,)]
            letters = await one.list_letters("r")
            assert [each.payload for each in letters] == [b"1"] * len(tasks)
        finally:
            for world in (one, two):
                await world.close()

    asyncio.run(main())


@pytest.mark.fault("F25", "C10")
def test_fifty_starts_with_one_key_are_one_run() -> None:
    """F25: fifty starts at once over two worlds and callers' transactions, and one more after the
    end, give one run (P5)."""

    async def main() -> None:
        one = postgres.new_world()
        two = create_postgres_world(postgres.url(), schema=one.database.schema)
        for world in (one, two):
            await world.open()

        async def outside(n: int) -> Any:
            async with await psycopg.AsyncConnection.connect(postgres.url()) as theirs:
                return await one.create_on(theirs, new_run(f"t{n}", idempotency_key="k"))

        try:
            created = await asyncio.gather(
                *(one.create(new_run(f"a{n}", idempotency_key="k")) for n in range(20)),
                *(two.create(new_run(f"b{n}", idempotency_key="k")) for n in range(20)),
                *(outside(n) for n in range(10)),
            )
            assert len({each.run_id for each in created}) == 1
            assert sum(each.created for each in created) == 1
            event = NewEvent(type="run_cancelled", at=0)
            assert await one.terminate(created[0].run_id, event, b"", "terminated")
            again = await two.create(new_run("late", idempotency_key="k"))
            assert (again.run_id, again.created) == (created[0].run_id, False)
        finally:
            for world in (one, two):
                await world.close()

    asyncio.run(main())


@pytest.mark.fault("F26")
def test_a_caller_that_dies_before_its_commit_has_started_nothing() -> None:
    """F26: neither a connection that is gone nor rows in other shapes make half a start (P6)."""

    async def main() -> None:
        world = postgres.new_world()
        await world.open()
        try:
            theirs = psycopg.connect(postgres.url(), row_factory=dict_row)
            made = await world.create_on(theirs, new_run("r", idempotency_key="k"))
            assert made.created
            with psycopg.connect(postgres.url(), autocommit=True) as admin:
                pid = theirs.info.backend_pid
                admin.execute("select pg_terminate_backend(%s)", (pid,))
            with pytest.raises(psycopg.OperationalError):
                theirs.commit()
            theirs.close()
            assert await world.get_run("r") is None
            assert (await world.create(new_run("s", idempotency_key="k"))).run_id == "s"
        finally:
            await world.close()

    asyncio.run(main())


@pytest.mark.fault("F24")
def test_everything_delivered_three_times_in_any_order(tmp_path: Path) -> None:
    """F24: every nudge over HTTP comes three times and shuffled, on top of a worker that finds the
    work itself; steps run once and the run ends as always (P2)."""

    async def main(stage: Stage) -> None:
        async with (
            Application(stage.world(), stage.project) as worker,
            Application(stage.world(), stage.project, worker=False) as one,
            Application(stage.world(), stage.project, worker=False) as two,
        ):
            runs = [await start("mixed_without_hook", 2) for _ in range(3)]
            chance = random.Random(7)

            async def deliver(application: Application) -> None:
                while True:
                    run = chance.choice(runs)
                    tasks = await application.world.list_tasks(run.run_id)
                    calls = [application.run_once(run.run_id)]
                    calls += [application.task_once(run.run_id, t.step_id) for t in tasks[:3]]
                    await asyncio.gather(*calls)

            deliveries = [asyncio.create_task(deliver(a)) for a in (one, two) for _ in range(3)]
            for run in runs:
                await ended(worker.world, run.run_id)
            for each in deliveries:
                each.cancel()
            await asyncio.gather(*deliveries, return_exceptions=True)
            finished = [line for line in stage.bodies() if line[0] == "end"]
            assert len(finished) == len({(line[1], line[2]) for line in finished}) == 3 * 26

    with Stage(tmp_path, "postgres", lease=60).clearing() as stage:
        os.environ["WORKFLOW_LEASE"] = "60"
        try:
            asyncio.run(main(stage))
        finally:
            del os.environ["WORKFLOW_LEASE"]


async def _fired(world: World, run_id: str) -> list[Event]:
    return [e for e in await world.list_events(run_id) if e.type == "wait_completed"]


@pytest.mark.fault("F31", "C5")
@pytest.mark.parametrize("target", ["memory", "local", "postgres"])
def test_timers_that_came_due_while_all_were_down_fire_once_in_order(
    target: str, tmp_path: Path
) -> None:
    """F31: a hundred runs fall asleep, and one with twenty sleeps; everything stops, their times
    pass, a worker starts: all fire once, none before its time, those of one run in order (P8)."""

    async def main(stage: Stage) -> None:
        clock = VirtualClock(1_000 * SECOND)

        def again() -> World:
            if target == "memory":
                return memory
            if target == "local":
                return create_local_world(tmp_path / "other", clock)
            return postgres.new_world(clock, schema=stage.schema)

        memory = MemoryWorld(clock)
        count = 100
        async with Application(again(), stage.project, grace=0.1) as application:
            delays = random.Random(1).sample(range(10, 10 + count), count)
            runs = {(await start("sleeper", seconds)).run_id: seconds for seconds in delays}
            many = await start("sleepers", delays[:20])
            for run_id in [*runs, many.run_id]:

                async def asleep(run_id: str = run_id) -> bool:
                    record = await application.world.get_run(run_id)
                    assert record is not None
                    return record.next_timer is not None and record.owner is None

                await soon(asleep, "sleeping")
        clock.advance(55)
        async with Application(again(), stage.project) as application:
            world = application.world
            over = {run_id for run_id, seconds in runs.items() if seconds <= 55}
            for run_id in over:
                await ended(world, run_id)

            async def half() -> bool:
                return len(await _fired(world, many.run_id)) > 0

            await soon(half, "half of them")
            assert len(await _fired(world, many.run_id)) == sum(s <= 55 for s in delays[:20])
            for run_id in runs.keys() - over:
                assert await _fired(world, run_id) == []
            clock.advance(945)
            for run_id, seconds in runs.items():
                record = await ended(world, run_id)
                (fired,) = await _fired(world, run_id)
                assert fired.at >= record.created_at + seconds * SECOND
            await ended(world, many.run_id)
            called = [e for e in await world.list_events(many.run_id) if e.type == "wait_created"]
            due = {e.ref: seconds for e, seconds in zip(called, delays[:20], strict=True)}
            assert [due[e.ref] for e in await _fired(world, many.run_id)] == sorted(delays[:20])
        woken = [line[1] for line in stage.bodies() if line[0] == "end"]
        assert sorted(woken) == sorted(runs)

    with Stage(tmp_path, "postgres").clearing() as stage:
        asyncio.run(main(stage))


@pytest.mark.fault("F29")
def test_the_clock_is_the_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """F29: a host whose clock is an hour ahead has the server's time and is never ahead of it, also
    for starts in callers' transactions before the world was opened (P8)."""
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + 3600 * 1_000_000_000)

    def server_now() -> int:
        with psycopg.connect(postgres.url()) as admin:
            row = admin.execute(
                "select (extract(epoch from clock_timestamp()) * 1000000)::bigint"
            ).fetchone()
        assert row is not None
        now: int = row[0]
        return now

    async def main() -> None:
        world = postgres.new_world()
        assert isinstance(world, PostgresWorld)
        with psycopg.connect(postgres.url()) as theirs:
            await world.create_on(theirs, new_run("r"))
        await world.open()
        try:
            now = server_now()
            here = world.now()
            assert now - 60 * SECOND < here <= server_now()
            run = await world.get_run("r")
            assert run is not None
            assert abs(run.created_at - now) < 60 * SECOND
        finally:
            await world.close()

    asyncio.run(main())


@pytest.mark.fault("F30")
def test_the_clock_is_never_ahead_and_follows_the_server() -> None:
    """F30: network jitter never makes time go back; a server whose clock is set back is followed,
    so that nothing fires early by the clock that counts."""
    clock = ServerClock()
    at = time.monotonic_ns()
    clock.set(1_000 * SECOND, at)
    before = clock.now()
    assert before >= 1_000 * SECOND
    clock.set(1_000 * SECOND - 5_000, time.monotonic_ns())
    assert clock.now() >= before
    clock.set(900 * SECOND, time.monotonic_ns())
    assert 900 * SECOND <= clock.now() < 999 * SECOND
    clock.set(2_000 * SECOND, time.monotonic_ns())
    assert clock.now() >= 2_000 * SECOND


def test_what_postgres_cannot_store_is_its_writers_error_alone() -> None:
    """A value with U+0000 is refused by name, again and again, and spoils nothing that shares its
    commit: appends beside it are applied once."""

    async def main() -> None:
        world = postgres.new_world()
        await world.open()
        try:
            await world.beat(WorkerRecord(worker="ann", lease_until=world.now() + 60 * SECOND))
            for n in range(5):
                await world.create(new_run(f"r{n}"))
            runs = (await world.claim_runs("ann", 9)).runs
            event = NewEvent(type="x", at=world.now())
            appends = [
                Append(
                    run_id=run.run_id, worker="ann", fence=run.fence, expected=run.head,
                    at=world.now(), events=(event,), seen=run.mail,
                )
                for run in runs
            ]  # fmt: skip
            answers: list[Any] = await asyncio.gather(
                *(world.append(a) for a in appends),
                world.create(new_run("bad", attributes={"a": "\0"})),
                world.create(new_run("worse", idempotency_key="\0")),
                world.post("r0", Letter(kind="wake", ref="w")),
                world.create(new_run("good")),
                return_exceptions=True,
            )
            assert [answer.ok for answer in answers[:5]] == [True] * 5
            assert isinstance(answers[5], WorldError)
            assert isinstance(answers[6], SerializationError)
            assert "U+0000" in str(answers[6])
            assert answers[7].outcome == "posted"
            assert answers[8].created
            for run in runs:
                assert [e.seq for e in await world.list_events(run.run_id)] == [1, 2]
        finally:
            await world.close()

    asyncio.run(main())


def test_a_fork_leaves_the_parents_connections_alone() -> None:
    """A child that closes, or just ends with, its parent's world does not end its connections."""

    async def main() -> None:
        world = postgres.new_world()
        await world.open()
        try:
            await world.create(new_run("r"))
            pid = os.fork()
            if pid == 0:
                try:
                    world._close()
                finally:
                    os._exit(0)
            assert (await asyncio.to_thread(os.waitpid, pid, 0))[1] == 0
            await world.create(new_run("s"))
            assert await world.get_run("r") is not None
        finally:
            await world.close()

    asyncio.run(main())


def test_a_world_may_be_closed_while_it_is_busy() -> None:
    """What was accepted is done, what comes later is refused, and nothing hangs."""

    async def main() -> None:
        world = postgres.new_world()
        await world.open()
        writes = [asyncio.create_task(world.create(new_run(f"r{n}"))) for n in range(300)]
        reads = [asyncio.create_task(world.get_run("r1")) for _ in range(50)]
        await asyncio.sleep(0)
        async with asyncio.timeout(60):
            await world.close()
            answers = await asyncio.gather(*writes, *reads, return_exceptions=True)
        assert all(not isinstance(a, BaseException) or isinstance(a, WorldError) for a in answers)
        created = [f"r{n}" for n, a in enumerate(answers[:300]) if not isinstance(a, WorldError)]
        await world.open()
        try:
            assert created
            for run_id in created:
                assert await world.get_run(run_id) is not None
        finally:
            await world.close()

    asyncio.run(main())


def test_one_world_serves_several_event_loops() -> None:
    """Threads with loops of their own write, read and wait at once; a loop that ends takes nothing
    with it."""

    def other(world: PostgresWorld, name: str) -> int:
        async def work() -> int:
            waiting = asyncio.create_task(world.wait_for_change(0, None))
            made = await asyncio.gather(
                *(world.create(new_run(f"{name}{n}")) for n in range(20)),
            )
            await waiting
            return sum(each.created for each in made)

        return asyncio.run(work())

    async def main() -> None:
        world = postgres.new_world()
        await world.open()
        try:
            made = await asyncio.gather(
                *(asyncio.to_thread(other, world, name) for name in "abcd"),
                world.create(new_run("mine")),
            )
            assert list(made[:4]) == [20] * 4
        finally:
            await world.close()

    asyncio.run(main())


@pytest.mark.fault("C10")
def test_options_reach_postgres(tmp_path: Path) -> None:
    """`with_options(idempotency_key=…)` twice is one run on PostgreSQL as everywhere (P5)."""

    async def main(stage: Stage) -> None:
        async with Application(stage.world(), stage.project):
            first = await with_options(idempotency_key="k").start("chain", 1)
            second = await with_options(idempotency_key="k").start("chain", 1)
            assert first.run_id == second.run_id

    with Stage(tmp_path, "postgres").clearing() as stage:
        asyncio.run(main(stage))

"""Clocks that jump, differ, or change to summer time; and things that happen at one instant."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import postgres
from tests.faults.history import check_run
from tests.faults.stage import Stage
from tests.faults.stage import ended as ended_in
from tests.project import Events, build, ended, loaded, until
from tests.zones import time_zone
from workflow.api import Run, get_run, resume_hook, start
from workflow.engine import Application
from workflow.errors import HookNotFoundError
from workflow.testing.clock import VirtualClock
from workflow.world.port import World
from workflow.worlds.local import create_local_world
from workflow.worlds.memory import MemoryWorld

SECOND = 1_000_000
START = 1_792_886_400 * SECOND  # 2026-10-25T00:00:00Z: an hour before the clocks of Berlin go back
WORLDS = ["memory", "local", "postgres"]


class SteppedClock(VirtualClock):
    """A clock that may also be set back."""

    def back(self, seconds: float) -> None:
        self._now -= round(seconds * SECOND)


@pytest.fixture(params=WORLDS)
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[VirtualClock], World]:
    """Gives the same world at every call, as if its process had been started again."""
    kept: dict[str, Any] = {}

    def again(clock: VirtualClock) -> World:
        if request.param == "local":
            return create_local_world(tmp_path / "data", clock)
        if request.param == "postgres":
            if "schema" not in kept:
                kept["schema"] = postgres.new_world().database.schema
            return postgres.new_world(clock, schema=kept["schema"])
        world: World = kept.setdefault("memory", MemoryWorld(clock))
        return world

    return again


FLOWS = """
    import asyncio
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

    from workflow import create_hook, get_workflow_metadata, sleep

    async def note(text: str) -> str:
        "use step"
        return text

    async def naps(seconds: int) -> str:
        "use workflow"
        before = await note("before")
        await sleep(seconds)
        return before + await note(" after")

    async def races() -> list[str]:
        "use workflow"
        async def answered() -> str:
            return await create_hook(str, token=f"go {get_workflow_metadata().workflow_run_id}")

        async def slept() -> str:
            await sleep(10)
            return "late"

        tasks = [asyncio.create_task(answered()), asyncio.create_task(slept())]
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        first = sorted(task.result() for task in done)
        recorded = await note(" ".join(first))
        await sleep("1h")
        return [recorded, " ".join(first)]

    async def times_out() -> list[str]:
        "use workflow"
        try:
            token = f"go {get_workflow_metadata().workflow_run_id}"
            first = await create_hook(str, token=token, timeout=10)
        except TimeoutError:
            first = "late"
        recorded = await note(first)
        await sleep("1h")
        return [recorded, first]

    async def at_the_second_half_past_two() -> str:
        "use workflow"
        zone = ZoneInfo("Europe/Berlin")
        await sleep(datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=zone))
        return datetime.now(zone).isoformat()

    async def combined() -> str:
        "use workflow"
        await sleep(1)
        at = datetime.now(ZoneInfo("Europe/Berlin"))
        again = datetime.combine(at.date(), at.replace(hour=2, fold=1).timetz())
        return again.isoformat()

    async def a_day() -> str:
        "use workflow"
        await sleep(timedelta(days=1))
        return datetime.now(ZoneInfo("Europe/Berlin")).isoformat()
"""


async def asleep(application: Application, run: Run[Any]) -> None:
    """Wait until nobody works on a run and it has a time to wake up at."""

    async def look() -> bool:
        record = await application.world.get_run(run.run_id)
        assert record is not None
        return record.next_timer is not None and record.owner is None

    await until(application.world, look, what=f"{run.run_id} falling asleep")


@pytest.mark.fault("F30")
def test_a_clock_that_is_set_back(reopen: Callable[[VirtualClock], World], tmp_path: Path) -> None:
    """NTP takes ten seconds back in the middle of a sleep: it does not end early, work goes on, no
    event is before the one that precedes it, and the sleep ends when its time has come."""
    project, clock = build(tmp_path, FLOWS), SteppedClock(START)

    async def main() -> None:
        async with Application(reopen(clock), project) as app:
            flows = loaded(tmp_path)
            run = await start(flows.naps, 60)
            await asleep(app, run)
            clock.advance(5)
            clock.back(10)
            clock.advance(59)  # 54 s after the beginning, by the clock that counts
            other = await start(flows.naps, 1)
            await asleep(app, other)
            clock.advance(1)
            await ended(app, other.run_id)  # all that was due by now has been looked at
            assert (await Events.of(app.world, run.run_id)).named("wait_completed") == []
            clock.advance(5)
            assert await run.result(60) == "before after"
            clock.back(3600)
            last = await start(flows.naps, 1)
            await asleep(app, last)
            clock.advance(1)
            assert await last.result(60) == "before after"
            for each in (run, other, last):
                events = await app.world.list_events(each.run_id)
                assert [e.seq for e in events] == list(range(1, len(events) + 1))
                assert [e.at for e in events] == sorted(e.at for e in events)

    asyncio.run(main())


@pytest.mark.fault("F29")
def test_a_clock_that_jumps_ahead(reopen: Callable[[VirtualClock], World], tmp_path: Path) -> None:
    """An hour passes at once while runs are at work: every lease seems to have run out, and still
    each step has one result and each run one end."""
    project, clock = build(tmp_path, FLOWS), SteppedClock(START)

    async def main() -> None:
        async with Application(reopen(clock), project) as app:
            runs = [await start(loaded(tmp_path).naps, 60) for _ in range(20)]
            for _ in range(3):
                clock.advance(3600)
                await asyncio.sleep(0)
            await asleep_or_ended(app, runs)
            clock.advance(3600)
            for run in runs:
                assert await run.result(60) == "before after"
                log = await Events.of(app.world, run.run_id)
                assert log.types().count("step_completed") == 2
                assert log.types().count("wait_completed") == 1

    async def asleep_or_ended(app: Application, runs: list[Run[Any]]) -> None:
        for run in runs:

            async def look(run_id: str = run.run_id) -> bool:
                record = await app.world.get_run(run_id)
                assert record is not None
                return record.completed_at is not None or record.next_timer is not None

            await until(app.world, look)

    asyncio.run(main())


@pytest.mark.fault("F28", "C1")
@pytest.mark.parametrize("name", ["races", "times_out"])
def test_a_payload_and_a_timer_at_one_instant(
    name: str, reopen: Callable[[VirtualClock], World], tmp_path: Path
) -> None:
    """Runs wait for a hook and for a time, and both come at the same instant, in every order. Each
    run has one winner; a process that replays it from its log alone has the same one."""
    project, clock = build(tmp_path, FLOWS), SteppedClock(START)

    async def main() -> None:
        async with Application(reopen(clock), project) as app:
            runs = [await start(getattr(loaded(tmp_path), name)) for _ in range(12)]
            for run in runs:
                await asleep(app, run)

            async def answer(run: Run[Any]) -> bool:
                try:
                    await resume_hook(f"go {run.run_id}", "answered")
                except HookNotFoundError:
                    return False
                return True

            early = [asyncio.create_task(answer(run)) for run in runs[:4]]
            await asyncio.sleep(0)
            clock.advance(10)
            given = await asyncio.gather(*early, *(answer(run) for run in runs[4:8]))
            for run in runs:
                await decided(app, run)
        async with Application(reopen(clock), project) as app:
            for run in runs:
                await asleep(app, get_run(run.run_id))
            clock.advance(3600)
            outcomes = [await get_run(run.run_id).result(60) for run in runs]
        for recorded, again in outcomes:
            assert recorded == again
            assert recorded in ("answered", "late", "answered late")
        for outcome, taken in zip(outcomes, given, strict=False):
            assert taken or outcome[0] == "late"  # what was refused has reached nobody
        assert [outcome[0] for outcome in outcomes[8:]] == ["late"] * 4

    async def decided(app: Application, run: Run[Any]) -> None:
        async def look() -> bool:
            return bool((await Events.of(app.world, run.run_id)).named("step_completed"))

        await until(app.world, look, what="a winner")

    asyncio.run(main())


@pytest.mark.fault("F51")
@pytest.mark.parametrize(
    ("name", "seconds", "said"),
    [
        ("at_the_second_half_past_two", 5400, "2026-10-25T02:30:00+01:00"),
        ("combined", 1, "2026-10-25T02:00:01+01:00"),
        ("a_day", 86_400, "2026-10-26T01:00:00+01:00"),
    ],
)
def test_the_end_of_summer_time(
    name: str, seconds: int, said: str, reopen: Callable[[VirtualClock], World], tmp_path: Path
) -> None:
    """A moment in the hour that comes twice is the one that was meant, a day is 24 hours long, and
    a machine that goes on elsewhere in another time zone comes to the same."""
    project, clock = build(tmp_path, FLOWS), SteppedClock(START)

    async def main() -> None:
        with time_zone("Europe/Berlin"):
            async with Application(reopen(clock), project) as app:
                run = await start(getattr(loaded(tmp_path), name))
                await asleep(app, run)
                record = await app.world.get_run(run.run_id)
                assert record is not None
                assert record.next_timer == START + seconds * SECOND
        with time_zone("America/New_York"):
            async with Application(reopen(clock), project):
                clock.advance(seconds)
                assert await get_run(run.run_id).result(60) == said

    asyncio.run(main())


@pytest.mark.fault("F29")
def test_hosts_whose_clocks_differ(tmp_path: Path) -> None:
    """Workers whose clocks are an hour ahead and an hour behind share a PostgreSQL: nobody loses a
    lease to the other, and no sleep is shorter or an hour longer than it was asked for."""

    async def main(stage: Stage) -> None:
        async with stage.application() as application:
            world = application.world
            pids = [stage.spawn(FAULTS_CLOCK=ahead) for ahead in ("3600", "-3600")]
            sleepers = [await start("sleeper", 1) for _ in range(6)]
            others = [await start("mixed_without_hook", n) for n in range(6)]
            for n, other in enumerate(others):
                await ended_in(world, other.run_id)
                total = 2 * (sum(range(0, 120, 10)) + n)
                history = await check_run(world, other.run_id, stage.bodies(), total)
                assert history.bodies == history.steps + 2  # the flaky ones, and nobody else's
            for sleeper in sleepers:
                record = await ended_in(world, sleeper.run_id)
                (fired,) = [
                    e for e in await world.list_events(sleeper.run_id) if "wait_comp" in e.type
                ]
                assert fired.at >= record.created_at + SECOND
            with psycopg.connect(postgres.url()) as server:
                (now,) = server.execute(
                    "select (extract(epoch from clock_timestamp()) * 1000000)::bigint"
                ).fetchone() or (0,)
            assert now - 600 * SECOND < fired.at <= now
            assert {int(line[4]) for line in stage.bodies()} <= set(pids)

    with Stage(tmp_path, "postgres", lease=60).clearing() as stage:
        asyncio.run(main(stage))

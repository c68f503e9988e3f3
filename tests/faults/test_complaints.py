"""What users of durable workflows complain about, where no test of a fault shows it anyway."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.faults.history import check_run
from tests.faults.stage import Stage, Target, alive, ended, kill, soon
from tests.project import build, loaded
from workflow.api import start
from workflow.engine import Application
from workflow.world.records import Loaded, RunFilter
from workflow.worlds.memory import MemoryWorld

TARGETS: list[Target] = ["local", "postgres"]


@pytest.mark.fault("C2")
@pytest.mark.parametrize("target", TARGETS)
def test_a_step_that_takes_long_runs_once(target: Target, tmp_path: Path) -> None:
    """A step that outlives its worker's first lease runs once, although others look for work and
    everything is delivered to them again and again."""

    async def main(stage: Stage) -> None:
        async with (
            stage.application() as application,
            Application(stage.world(), stage.project, worker=False) as delivered_to,
        ):
            world = application.world
            gate = tmp_path / "gate"
            for _ in range(2):
                stage.spawn()
            run = await start("held", str(gate), 60.0)

            async def began() -> bool:
                return bool(stage.bodies())

            await soon(began, "the step")
            leases: set[int] = set()

            async def renewed() -> bool:
                await delivered_to.run_once(run.run_id)
                for task in await world.list_tasks(run.run_id):
                    await delivered_to.task_once(run.run_id, task.step_id)
                record = await world.get_run(run.run_id)
                assert record is not None
                at_work = [w for w in await world.list_workers() if w.worker == record.owner]
                leases.update(worker.lease_until for worker in at_work)
                return bool(leases) and max(leases) - min(leases) > lease * 1_000_000

            await soon(renewed, "a lease and more")
            gate.touch()
            await ended(world, run.run_id)
            history = await check_run(world, run.run_id, stage.bodies(), "there")
            assert (history.bodies, history.steps) == (1, 1)

    lease = 3.0  # which nobody loses who is only slow
    with Stage(tmp_path, target, lease=lease).clearing() as stage:
        asyncio.run(main(stage))


@pytest.mark.fault("F4", "C5")
@pytest.mark.parametrize("target", TARGETS)
def test_a_worker_dies_in_the_middle_of_a_replay(target: Target, tmp_path: Path) -> None:
    """A process that replays a long log is killed on its way; the next one replays it again, and no
    step is called twice."""

    async def main(stage: Stage) -> None:
        async with stage.application() as application:
            world = application.world
            path = tmp_path / "armed"
            first = stage.spawn(WORKFLOW_REPLAY_CHECK="0")
            run = await start("dies_in_replay", str(path), 60)

            async def sleeps() -> bool:
                record = await world.get_run(run.run_id)
                assert record is not None
                return record.next_timer is not None and record.owner is None

            await soon(sleeps, "a sleep")
            kill(first)
            stage.bury(first)
            head = (await world.list_events(run.run_id))[-1].seq
            second = stage.spawn(WORKFLOW_REPLAY_CHECK="0")
            await run.wake_up()

            async def died() -> bool:
                return not alive(second)

            await soon(died, "a death")
            stage.bury(second)
            assert (tmp_path / "armed.died").exists()
            assert (await world.list_events(run.run_id))[-1].seq == head
            stage.spawn(WORKFLOW_REPLAY_CHECK="0")
            await ended(world, run.run_id)
            total = sum(n * 10 for n in range(61))
            history = await check_run(world, run.run_id, stage.bodies(), total)
            assert history.bodies == history.steps == 62

    with Stage(tmp_path, target, lease=600).clearing() as stage:
        asyncio.run(main(stage))


@pytest.mark.fault("C3")
def test_a_step_costs_the_same_after_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the log is, a run that goes on reads none of it again: what is read from the
    world for two hundred steps is what is read for ten."""
    monkeypatch.delenv("WORKFLOW_REPLAY_CHECK", raising=False)  # which reads everything each time
    project = build(
        tmp_path,
        """
        async def same(n: int) -> int:
            "use step"
            return n

        async def many(n: int) -> int:
            "use workflow"
            return sum([await same(i) for i in range(n)])
        """,
    )

    async def main(steps: int) -> int:
        world: Any = MemoryWorld()
        read, load = [0], world.load

        async def counted(*args: Any, **more: Any) -> Loaded:
            found: Loaded = await load(*args, **more)
            read[0] += len(found.events)
            return found

        world.load = counted
        async with Application(world, project):
            run = await start(loaded(tmp_path).many, steps)
            assert await run.result(60) == sum(range(steps))
        return read[0]

    assert asyncio.run(main(10)) == asyncio.run(main(200)) > 0


@pytest.mark.fault("C7")
def test_a_backlog_stays_in_the_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker takes as many runs and tasks as it can work on and leaves the rest to others: a
    long queue is not a large memory."""
    monkeypatch.setattr("workflow.engine.worker.RUNS", 10)
    monkeypatch.setenv("WORKFLOW_WORKER_CONCURRENCY", "8")
    project = build(
        tmp_path,
        """
        import asyncio

        async def same(n: int) -> int:
            "use step"
            await asyncio.sleep(0)
            return n

        async def flow(n: int) -> int:
            "use workflow"
            return await same(n)
        """,
    )

    async def main() -> None:
        world: Any = MemoryWorld()
        async with Application(world, project, worker=False):
            runs = [await start(loaded(tmp_path).flow, n) for n in range(200)]
        owned, append = [0], world.append

        async def watched(asked: Any) -> Any:
            found = (await world.list_runs(RunFilter(), limit=200)).items
            owned[0] = max(owned[0], sum(run.owner is not None for run in found))
            return await append(asked)

        async with Application(world, project):
            for run in runs[:50]:
                await run.result(60)
            world.append = watched
            for n, run in enumerate(runs):
                assert await run.result(60) == n
        assert 0 < owned[0] <= 10

    asyncio.run(main())

"""Real worker processes that are killed, stopped, started too early, or told everything twice."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests import postgres
from tests.faults.history import check_run
from tests.faults.stage import Stage, Target, alive, ended, kill, soon
from workflow.api import start
from workflow.world.records import WorkerRecord

TARGETS: list[Target] = ["local", "postgres"]
# Leases that nobody loses who is only slow. The dead are noticed by their locks on the local world.
LONG: dict[Target, float] = {"local": 600, "postgres": 2}
ROUNDS = 10  # to be as quick as promised: in one of them the machine may be busy with other tests
long = pytest.mark.skipif(
    "WORKFLOW_TEST_THOROUGH" not in os.environ, reason="takes its time; `make test-all` runs it"
)


async def begun(stage: Stage, times: int = 1, run_id: str = "") -> list[list[str]]:
    """Wait until step bodies, of a run if one is named, have begun this often."""

    async def look() -> list[list[str]]:
        found = [line for line in stage.bodies() if line[0] == "begin" and run_id in line[1]]
        return found if len(found) >= times else []

    return await soon(look, f"the beginning of {times} bodies")


@pytest.mark.fault("F1")
def test_another_worker_takes_over_within_the_lease_and_a_second(tmp_path: Path) -> None:
    """F1, F9 without the server: of two `wfc worker` on one PostgreSQL one is killed in a step;
    the other has finished its run within the lease and a second."""

    async def main(stage: Stage) -> None:
        async with stage.application() as application:
            workers = {stage.worker().pid}
            took: list[float] = []
            for number in range(ROUNDS):
                workers.add(stage.worker().pid)
                gate = tmp_path / f"gate{number}"
                run = await start("held", str(gate), 30.0)
                victim = int((await begun(stage, run_id=run.run_id))[-1][4])
                workers.remove(victim)
                killed = time.time()
                kill(victim)
                gate.touch()  # whoever begins from now on is through at once
                record = await ended(application.world, run.run_id)
                await check_run(application.world, run.run_id, stage.bodies(), "there")
                lines = [line for line in stage.bodies() if line[1] == run.run_id]
                assert {int(line[4]) for line in lines if line[0] == "end"} == workers
                took.append((record.completed_at or 0) / 1_000_000 - killed)
                if took[-1] < lease + 1:
                    break
            assert min(took) < lease + 1, took

    lease = 1.0
    with Stage(tmp_path, "postgres", lease=lease).clearing() as stage:
        asyncio.run(main(stage))


@pytest.mark.fault("F6")
@pytest.mark.parametrize("target", TARGETS)
def test_a_zombie_records_nothing(target: Target, tmp_path: Path) -> None:
    """F6: a worker that is stopped for longer than its lease finds its results refused when it
    goes on, and the run has those of the worker that took over (P2, P4)."""

    async def main(stage: Stage) -> None:
        async with stage.application() as application:
            gate = tmp_path / "gate"
            zombie = stage.spawn()
            run = await start("held", str(gate), 60.0)
            await begun(stage)
            stage.freeze(zombie)
            other = stage.spawn(WORKFLOW_LEASE="20")  # loses nothing where the machine is busy
            await begun(stage, 2)  # the lease has run out
            gate.touch()
            os.kill(zombie, signal.SIGCONT)
            world = application.world
            await ended(world, run.run_id)
            history = await check_run(world, run.run_id, stage.bodies(), "there")
            assert history.bodies == 2
            # Attempt 1 was the zombie's. Its fence does not fit any more.
            (result,) = [e for e in await world.list_events(run.run_id) if "step_comp" in e.type]
            assert b'"attempt":2' in (result.meta or b"").replace(b" ", b"")
            # The zombie is of use again.
            kill(other)
            again = await start("chain", 3)
            await ended(world, again.run_id)

    with Stage(tmp_path, target).clearing() as stage:
        asyncio.run(main(stage))


@long
@pytest.mark.fault("F9")
def test_an_outage_longer_than_the_lease_costs_no_attempt(tmp_path: Path) -> None:
    """F9: nobody could renew a lease meanwhile. The first worker to come back does not take the
    others' steps away, which are still at work."""

    async def main(stage: Stage, server: postgres.Server) -> None:
        async with stage.application() as application:
            gate = tmp_path / "gate"
            workers: list[int] = []
            runs = []
            for n in range(1, 4):
                for pid in workers:
                    stage.freeze(pid)  # so that the next one has the next run
                workers.append(stage.spawn())
                runs.append(await start("held", str(gate), 60.0))
                await begun(stage, n)
                for pid in workers:
                    kill(pid, signal.SIGCONT)
            assert len({line[4] for line in stage.bodies()}) == 3
            await asyncio.to_thread(server.stop, signal.SIGQUIT)
            await asyncio.sleep(2 * lease)
            await asyncio.to_thread(server.start)
            await asyncio.sleep(lease)
            gate.touch()
            for run in runs:
                await ended(application.world, run.run_id)
            assert [line[0] for line in stage.bodies()].count("begin") == 3

    lease = 6.0
    server = postgres.Server()
    try:
        with Stage(tmp_path, "postgres", url=server.url, lease=lease).clearing() as stage:
            asyncio.run(main(stage, server))
    finally:
        server.remove()


@pytest.mark.fault("F10")
def test_a_worker_waits_for_a_database_that_is_down(tmp_path: Path) -> None:
    """F10: `wfc worker` says what is wrong, tries again, and works as soon as it can."""

    async def main(stage: Stage, server: postgres.Server) -> None:
        server.stop()
        process = stage.begin_worker()
        assert process.stderr is not None
        line = process.stderr.readline()
        assert "does not answer" in line
        assert "trying again in 0.5 s" in line
        server.start()
        while "working on" not in line:
            line = process.stderr.readline()
            assert line, "the worker has ended"
        async with stage.application() as application:
            run = await start("chain", 2)
            await ended(application.world, run.run_id)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0

    server = postgres.Server()
    try:
        with Stage(tmp_path, "postgres", url=server.url).clearing() as stage:
            asyncio.run(main(stage, server))
    finally:
        server.remove()


@pytest.mark.fault("F10")
def test_a_worker_that_can_never_connect_says_so_and_ends(tmp_path: Path) -> None:
    """A database that is not there is not waited for."""
    with Stage(tmp_path, "postgres").clearing() as stage:
        url = postgres.url().rpartition("/")[0] + "/nowhere"
        done = subprocess.run(
            [*stage.command, "worker", "--root", str(tmp_path)],
            env={**stage.environment, "WORKFLOW_POSTGRES_URL": url},
            capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert "does not exist" in done.stderr


@pytest.mark.fault("F38")
def test_a_worker_that_is_asked_to_stop_hands_over_at_once(tmp_path: Path) -> None:
    """F38: after SIGTERM another worker goes on without waiting for the lease."""

    async def main(stage: Stage) -> None:
        async with stage.application() as application:
            gate = tmp_path / "gate"
            first = stage.spawn()
            run = await start("held", str(gate), 60.0)
            await begun(stage)
            stage.spawn()
            kill(first, signal.SIGTERM)
            lines = await begun(stage, 2)
            gate.touch()
            await ended(application.world, run.run_id)
            assert [line[3] for line in lines] == ["1", "1"]  # an attempt taken back is not counted

    with Stage(tmp_path, "postgres", lease=600).clearing() as stage:
        asyncio.run(main(stage))


@pytest.mark.fault("F20")
@pytest.mark.parametrize(
    ("target", "how"),
    [
        ("local", "exit"),
        ("local", "memory"),  # which no process dies of: an error like any other
        pytest.param("postgres", "exit", marks=long),
        pytest.param("postgres", "segfault", marks=long),
    ],
)
def test_a_poison_step_fails_its_run_and_no_other(target: Target, how: str, tmp_path: Path) -> None:
    """F20: a step that takes its process with it ends as failed after its attempts (P7); runs
    beside it, whose workers die as often, complete."""

    async def main(stage: Stage) -> None:
        async with stage.application() as application:
            world = application.world
            pids = [stage.spawn() for _ in range(2)]
            poisoned = await start("poisoned", how)
            others = [await start("mixed_without_hook", n) for n in range(3)]

            async def tend() -> None:
                while True:
                    for place, pid in enumerate(pids):
                        if not alive(pid):
                            pids[place] = stage.spawn()
                    await asyncio.sleep(0.02)

            tending = asyncio.create_task(tend())
            run = await ended(world, poisoned.run_id)
            assert run.status == "failed"
            for other in others:
                assert (await ended(world, other.run_id)).status == "completed"
            tending.cancel()
            bodies = [line for line in stage.bodies() if line[1] == poisoned.run_id]
            assert len(bodies) == 4  # max_retries=3
            (failed,) = [
                e for e in await world.list_events(poisoned.run_id) if e.type == "step_failed"
            ]
            died = b"MemoryError" if how == "memory" else b"process died"
            assert died in (failed.payload or b"")

    with Stage(tmp_path, target, lease=LONG[target]).clearing() as stage:
        asyncio.run(main(stage))


@pytest.mark.fault("F20")
@pytest.mark.parametrize("target", ["local", pytest.param("postgres", marks=long)])
def test_a_poison_step_costs_its_neighbours_no_step(target: Target, tmp_path: Path) -> None:
    """F20: steps beside one that kills its process complete with their usual number of attempts,
    also when workers take so long to start that all that died is due together again (P7)."""

    async def main(stage: Stage) -> None:
        async with stage.application() as application:
            world = application.world
            poisoned = await start("poisoned_often")
            beside = await start("beside_poison", 4)

            async def look() -> bool:
                """Free what died; whether all of it is due."""
                until = world.now() + 3_600_000_000
                await world.beat(WorkerRecord(worker="nobody", lease_until=until))
                tasks = await world.list_tasks(poisoned.run_id)
                tasks += await world.list_tasks(beside.run_id)
                now = world.now()
                return all(task.owner is None and task.run_at <= now for task in tasks)

            async def tend() -> None:
                while True:
                    pid = stage.spawn()
                    while alive(pid):  # noqa: ASYNC110
                        await asyncio.sleep(0.02)
                    await soon(look, "the time of all that has died")

            tending = asyncio.create_task(tend())
            assert (await ended(world, poisoned.run_id)).status == "failed"
            await ended(world, beside.run_id)
            await check_run(world, beside.run_id, stage.bodies(), 6)
            tending.cancel()
            poison = [line for line in stage.bodies() if line[1] == poisoned.run_id]
            assert len(poison) == 7  # max_retries=6

    with Stage(tmp_path, target, lease=LONG[target]).clearing() as stage:
        asyncio.run(main(stage))


@pytest.mark.fault("F20")
@pytest.mark.parametrize("target", ["local", pytest.param("postgres", marks=long)])
def test_a_poison_run_fails_and_no_other(target: Target, tmp_path: Path) -> None:
    """F20: a run whose body kills its process at every turn ends as failed with a reason; runs that
    are claimed beside it, by the same workers, are not counted out with it (P7)."""

    async def main(stage: Stage) -> None:
        async with stage.application() as application:
            world = application.world
            poisoned = [await start("deadly_body", n) for n in range(3)]
            others = [await start("mixed_without_hook", n) for n in range(5)]
            pids = [stage.spawn(WORKFLOW_MAX_CLAIMS="5") for _ in range(2)]

            async def tend() -> None:
                while True:
                    for place, pid in enumerate(pids):
                        if not alive(pid):
                            pids[place] = stage.spawn(WORKFLOW_MAX_CLAIMS="5")
                    await asyncio.sleep(0.02)

            tending = asyncio.create_task(tend())
            for n, other in enumerate(others):
                await ended(world, other.run_id)
                total = 2 * (sum(range(0, 120, 10)) + n)
                await check_run(world, other.run_id, stage.bodies(), total)
            for each in poisoned:
                run = await ended(world, each.run_id)
                assert (run.status, run.error_code) == ("failed", "crash-loop")
            tending.cancel()

    with Stage(tmp_path, target, lease=LONG[target]).clearing() as stage:
        asyncio.run(main(stage))

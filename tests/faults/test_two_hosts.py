"""Two workers that have nothing in common but a PostgreSQL: hosts of their own, each with a network
of its own. Where no network namespaces can be made, they are processes side by side."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests import postgres
from tests.faults.history import check_run
from tests.faults.networks import Host, hosts, there_are_namespaces
from tests.faults.stage import Stage, ended, kill, soon
from workflow.api import start

LEASE = 1.0
ROUNDS = 10  # to be as quick as promised: in one of them the machine may be busy with other tests
HERE = "network namespaces" if there_are_namespaces() else "processes, for want of namespaces"


@dataclass
class Far:
    """A worker elsewhere. `silence` takes its line away, and `speak` gives it back."""

    pid: int
    silence: Callable[[], None]
    speak: Callable[[], None]
    again: Callable[[], Far]  # another worker in its place


@contextmanager
def far_workers(folder: Path, where: str) -> Iterator[tuple[Stage, dict[int, Far]]]:
    """A stage with two workers, by their process ids."""
    if where != "network namespaces":
        with Stage(folder, "postgres", lease=LEASE).clearing() as stage:
            yield stage, {far.pid: far for far in (_beside(stage), _beside(stage))}
        return
    with hosts(2) as two:
        server = postgres.Server(durable=False, also=[host.outside for host in two])
        try:
            with Stage(folder, "postgres", url=server.url, lease=LEASE).clearing() as stage:

                def on(host: Host) -> Far:
                    at = urlsplit(server.url)
                    at = at._replace(netloc=at.netloc.replace("127.0.0.1", host.outside))
                    process = stage.worker(*host.prefix, WORKFLOW_POSTGRES_URL=urlunsplit(at))
                    return Far(process.pid, host.cut, host.mend, lambda: on(host))

                workers = {far.pid: far for far in map(on, two)}
                networks = {os.readlink(f"/proc/{pid}/ns/net") for pid in (*workers, "self")}
                assert len(networks) == 3
                yield stage, workers
        finally:
            server.remove()


def _beside(stage: Stage) -> Far:
    pid = stage.worker().pid
    return Far(
        pid,
        silence=lambda: kill(pid, signal.SIGSTOP),
        speak=lambda: kill(pid, signal.SIGCONT),
        again=lambda: _beside(stage),
    )


async def first_body(stage: Stage, run_id: str) -> int:
    """The process in which the first body of the run has begun."""

    async def look() -> list[list[str]]:
        return [line for line in stage.bodies() if line[:2] == ["begin", run_id]]

    return int((await soon(look, "the first body"))[0][4])


@pytest.mark.fault("F1", "F13")
@pytest.mark.parametrize("where", [HERE])
def test_a_worker_on_another_host_is_killed(where: str, tmp_path: Path) -> None:
    """F1: of two `wfc worker` on hosts of their own one is killed in a step; the other one has
    finished its run within the lease and a second."""

    async def main(stage: Stage, workers: dict[int, Far]) -> None:
        async with stage.application() as application:
            took: list[float] = []
            for number in range(ROUNDS):
                gate = tmp_path / f"gate{number}"
                run = await start("held", str(gate), 30.0)
                victim = workers.pop(await first_body(stage, run.run_id))
                killed = time.time()
                kill(victim.pid)
                gate.touch()  # whoever begins from now on is through at once
                record = await ended(application.world, run.run_id)
                await check_run(application.world, run.run_id, stage.bodies(), "there")
                lines = [line for line in stage.bodies() if line[1] == run.run_id]
                assert {int(line[4]) for line in lines if line[0] == "end"} == set(workers)
                took.append((record.completed_at or 0) / 1_000_000 - killed)
                if took[-1] < LEASE + 1:
                    break
                fresh = await asyncio.to_thread(victim.again)
                workers[fresh.pid] = fresh
            assert min(took) < LEASE + 1, took

    with far_workers(tmp_path, where) as (stage, workers):
        asyncio.run(main(stage, workers))


@pytest.mark.fault("F6", "F13")
@pytest.mark.parametrize("where", [HERE])
def test_a_worker_whose_network_is_gone_for_a_while(where: str, tmp_path: Path) -> None:
    """F13, F6: a worker loses its line to the database in the middle of a step. The other one takes
    over, the result of the first counts for nothing, and with its line it is of use again (P4)."""

    async def main(stage: Stage, workers: dict[int, Far]) -> None:
        async with stage.application() as application:
            world = application.world
            gate = tmp_path / "gate"
            run = await start("held", str(gate), 60.0)
            lost = workers.pop(await first_body(stage, run.run_id))
            lost.silence()
            (other,) = workers.values()

            async def taken_over() -> bool:
                return any(
                    line[0] == "begin" and int(line[4]) == other.pid for line in stage.bodies()
                )

            await soon(taken_over, "the body on the other host")
            gate.touch()  # both go on; only one of them is heard
            await ended(world, run.run_id)
            lost.speak()
            history = await check_run(world, run.run_id, stage.bodies(), "there")
            assert history.bodies == 2
            kill(other.pid)
            again = await start("chain", 3)
            await ended(world, again.run_id)
            assert {int(line[4]) for line in stage.bodies() if line[1] == again.run_id} == {
                lost.pid
            }

    with far_workers(tmp_path, where) as (stage, workers):
        asyncio.run(main(stage, workers))

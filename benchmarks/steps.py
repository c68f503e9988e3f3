"""What a durable step costs, beside the floor of the same disk, in one run.

    python -m benchmarks.steps [memory] [local] [postgres] [postgres-without-disk]

Prints, for each world: 200 runs of 10 steps with 50 in flight (steps/s),
1,000 sequential steps (s), 500 parallel steps (s), 1,000 runs that sleep two seconds (s), and the
median of one-step runs (ms). Also the floor: how many one-row commits with full sync the disk takes
per second. PostgreSQL is the one that WORKFLOW_POSTGRES_TEST_URL names, or our own one with
durability on; `postgres-without-disk` is one that waits for no disk, which shows what the rest
costs. Medians of three rounds. Compare figures of one run only: they depend on the machine and on
its neighbours.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import wfc
from workflow.api import start
from workflow.engine import Application, Project
from workflow.world.port import World
from workflow.worlds import local, memory

ROUNDS = 3
HERE = Path(__file__).parent


async def crowd() -> float:
    """Steps per second: 200 runs of 10 steps, 50 runs in flight."""
    places = asyncio.Semaphore(50)

    async def one() -> None:
        async with places:
            await (await start("sequence", 10)).return_value

    began = time.perf_counter()
    await asyncio.gather(*[one() for _ in range(200)])
    return 2000 / (time.perf_counter() - began)


async def thousand() -> float:
    """Seconds for 1,000 sequential steps."""
    began = time.perf_counter()
    await (await start("sequence", 1000)).return_value
    return time.perf_counter() - began


async def wide() -> float:
    """Seconds for 500 parallel steps."""
    began = time.perf_counter()
    await (await start("fan_out", 500)).return_value
    return time.perf_counter() - began


async def sleepers() -> float:
    """Seconds for 1,000 runs that sleep two seconds, from the first start to the last end."""
    began = time.perf_counter()
    runs = await asyncio.gather(*[start("sleeper", 2) for _ in range(1000)])
    await asyncio.gather(*[run.return_value for run in runs])
    return time.perf_counter() - began


async def single() -> float:
    """Milliseconds of a one-step run, the median of 100."""
    times = []
    for _ in range(100):
        began = time.perf_counter()
        await (await start("sequence", 1)).return_value
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


WORKLOADS: list[tuple[str, Callable[[], Awaitable[float]]]] = [
    ("200 x 10 steps, 50 in flight, steps/s", crowd),
    ("1,000 sequential steps, s", thousand),
    ("500 parallel steps, s", wide),
    ("1,000 runs sleeping 2 s, s", sleepers),
    ("one-step run, ms", single),
]


def commits_per_second(folder: Path) -> float:
    """One-row commits with WAL and full sync, for half a second."""
    (folder / "floor.db").unlink(missing_ok=True)
    connection = sqlite3.connect(folder / "floor.db", isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.execute("create table t (x blob)")
    count = 0
    began = time.perf_counter()
    while time.perf_counter() - began < 0.5:
        connection.execute("insert into t values (zeroblob(200))")
        count += 1
    took = time.perf_counter() - began
    connection.close()
    return count / took


async def measure(world: World, project: Project) -> None:
    async with Application(world, project):
        await (await start("sequence", 10)).return_value  # warm up
        for title, workload in WORKLOADS:
            figures = [await workload() for _ in range(ROUNDS)]
            spread = f"({min(figures):,.2f} to {max(figures):,.2f})"
            print(f"  {title:<40} {statistics.median(figures):>12,.2f}  {spread}")


def main() -> None:
    wanted = sys.argv[1:] or ["memory", "local"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bench_flows.py").write_text((HERE / "flows.py").read_text())
        result = wfc.build(folder)
        assert not result.diagnostics, result.diagnostics
        project = Project.load(folder / "generated")
        for target in wanted:
            print(target)
            server = None
            if target in ("local", "postgres"):
                print(f"  {'floor: commits/s':<40} {commits_per_second(folder):>12,.2f}")
            if target == "local":
                world: World = local.create_local_world(data_dir=folder / "data")
            elif target.startswith("postgres"):
                from tests import postgres

                given = os.environ.get("WORKFLOW_POSTGRES_TEST_URL")
                server = None if given else postgres.Server(durable=target == "postgres")
                world = postgres.new_world(at=given or (server.url if server else None))
            else:
                world = memory.create()
            try:
                asyncio.run(measure(world, project))
            finally:
                if server is not None:
                    server.remove()


if __name__ == "__main__":
    main()

"""Workers that are killed at random for a while, and what their runs come to.

    python -m tests.faults.kill_loop [--world local|postgres] [--runs 200] [--seconds 60]
                                     [--workers 3] [--seed 1]

Starts runs with parallel steps, tasks, a sleep and a hook. Kills one of the workers with SIGKILL
every 50 to 500 ms and starts another in its place. Then lets everything finish, and compares the
logs with what the steps left behind (F5; P1, P2, P3, P9, P10).
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from tests import postgres
from tests.faults.history import History, check_run
from tests.faults.stage import Stage, Target, ended, kill
from workflow.api import resume_hook, start
from workflow.errors import HookNotFoundError, WorldError

__all__ = ["Outcome", "kill_loop"]


@dataclass(frozen=True)
class Outcome:
    """What a loop came to."""

    histories: list[History]
    kills: int
    drained: float  # seconds from the last kill to the end of the last run

    @property
    def again(self) -> int:
        """Step bodies that ran more often than their results were recorded."""
        return sum(each.bodies - each.steps for each in self.histories)


def expected(n: int) -> int:
    """What `mixed(n)` returns when it is resumed with `n`."""
    return n * 10 + sum(i * 10 for i in range(12)) + n + n * 10


async def kill_loop(
    stage: Stage, *, runs: int, seconds: float, workers: int = 3, seed: int = 1
) -> Outcome:
    """Run the loop and check every run. Raises AssertionError."""
    chance = random.Random(seed)
    async with stage.application() as application:
        world = application.world
        pids = [stage.spawn() for _ in range(workers)]
        numbers: dict[str, int] = {}
        until = time.monotonic() + seconds
        kills = 0

        async def begin() -> None:
            for n in range(runs):
                numbers[(await start("mixed", n)).run_id] = n
                await asyncio.sleep(seconds * 0.8 / runs)

        async def resume() -> None:
            resumed: set[str] = set()
            while len(resumed) < runs:
                for hook in await world.list_hooks():
                    if hook.run_id in numbers and hook.run_id not in resumed:
                        try:
                            await resume_hook(hook.token, {"value": numbers[hook.run_id]})
                        except (HookNotFoundError, WorldError):
                            continue
                        resumed.add(hook.run_id)
                await asyncio.sleep(0.05)

        async with asyncio.TaskGroup() as group:
            beginning = group.create_task(begin())
            group.create_task(resume())
            while time.monotonic() < until:
                await asyncio.sleep(chance.uniform(0.05, 0.5))
                victim = chance.randrange(workers)
                kill(pids[victim])
                kills += 1
                pids[victim] = stage.spawn()
            await beginning
            last = time.monotonic()
            for run_id in numbers:
                await ended(world, run_id, 30 + seconds)
        drained = time.monotonic() - last
        bodies = stage.bodies()
        histories = [await check_run(world, r, bodies, expected(n)) for r, n in numbers.items()]
    return Outcome(histories, kills, drained)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Kill workers at random and check their runs.")
    parser.add_argument("--world", choices=["local", "postgres"], default="postgres")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            with Stage(Path(folder), cast(Target, asked.world)).clearing() as stage:
                outcome = asyncio.run(
                    kill_loop(
                        stage,
                        runs=asked.runs,
                        seconds=asked.seconds,
                        workers=asked.workers,
                        seed=asked.seed,
                    )
                )
        except AssertionError as error:
            if stage.output.exists():
                error.add_note(stage.output.read_text()[-5000:])
            raise
        finally:
            postgres.stop_shared()
    steps = sum(each.steps for each in outcome.histories)
    print(
        f"{asked.world}: {len(outcome.histories)} runs, {steps} steps, "
        f"{sum(each.events for each in outcome.histories)} events, {outcome.kills} kills; "
        f"{outcome.again} bodies ran again; drained in {outcome.drained:.1f} s"
    )


if __name__ == "__main__":
    main()

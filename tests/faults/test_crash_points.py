"""One scenario, killed at every single commit, always comes to the same end."""

from __future__ import annotations

import asyncio
import itertools
import os
from pathlib import Path

import pytest

from tests.faults.history import check_run
from tests.faults.stage import Stage, Target, alive, kill, soon
from workflow.api import resume_hook, start
from workflow.engine.failpoints import NAMES

THOROUGH = "WORKFLOW_TEST_THOROUGH" in os.environ
STRIDES = {"local": 1, "postgres": 1} if THOROUGH else {"local": 3, "postgres": 6}
COMMITS = 60  # more than the scenario has


async def scenario(stage: Stage, failpoint: str) -> bool:
    """Run `all_kinds` with a worker that dies at the failpoint and another that starts then.

    Returns whether it died. The run must end as it always does.
    """
    async with stage.application() as application:
        world = application.world
        pid = stage.spawn(WORKFLOW_FAILPOINT=failpoint)
        run = await start("all_kinds", 2)
        died = False
        resumed = False

        async def over() -> bool:
            nonlocal pid, died, resumed
            if not died and not alive(pid):
                died = True
                pid = stage.spawn()
            if not resumed and await world.list_hooks(run.run_id):
                await resume_hook(f"all-{run.run_id}", {"value": 7})
                resumed = True
            record = await world.get_run(run.run_id)
            assert record is not None
            assert record.parked is None, record.parked
            return record.completed_at is not None

        await soon(over, f"the end with {failpoint}")
        history = await check_run(world, run.run_id, stage.bodies(), 2 * 10 + 50 + 2 + 70)
        # What ran again is what was under way when the worker died: one turn's steps at most.
        assert history.steps == 4 <= history.bodies <= 5 + 2, failpoint
        kill(pid)
        return died


@pytest.mark.parametrize("target", ["local", "postgres"])
@pytest.mark.parametrize("name", ["before_commit", "commit"])
def test_every_commit_may_be_the_last(name: str, target: Target, tmp_path: Path) -> None:
    """F1 to F4, F50: the worker is killed just before or just after its first, second, third …
    write to the world, and the one that follows it finishes the run with every result
    recorded once (P1, P2, P3, P9, P10)."""
    stride = STRIDES[target]
    first = 1 + (name == "commit") * (stride // 2)

    async def main() -> int:
        for nth in itertools.count(first, stride):
            assert nth < COMMITS
            if not await scenario(stage, f"{name}:{nth}"):
                return nth
        raise AssertionError("unreachable")

    with Stage(tmp_path, target, lease=0.3).clearing() as stage:
        assert asyncio.run(main()) > 8, "the scenario has more commits than that"


def test_every_failpoint_has_a_test() -> None:
    """A point that no test arms proves nothing."""
    tests = [
        *Path(__file__).parent.glob("*.py"),
        *Path(__file__).parents[1].glob("end_to_end/*.py"),
    ]
    text = "\n".join(path.read_text() for path in tests)
    assert [name for name in NAMES if f'"{name}' not in text] == []

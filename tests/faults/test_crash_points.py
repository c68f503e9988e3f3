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
from workflow.codec import Codec
from workflow.engine.failpoints import NAMES
from workflow.world.port import World
from workflow.world.records import RunFilter, RunRecord

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
                stage.bury(pid)
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
        stage.bury(pid)
        return died


@pytest.mark.fault("F1", "F2", "F3", "F50", "C5")
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

    with Stage(tmp_path, target, lease=600).clearing() as stage:
        assert asyncio.run(main()) > 8, "the scenario has more commits than that"


async def family(stage: Stage, failpoint: str) -> bool:
    """Run `family` with a worker that dies at the failpoint and another that starts then.

    Returns whether it died. Every child must be there once, and every run end as it always does.
    """
    async with stage.application() as application:
        world = application.world
        pid = stage.spawn(WORKFLOW_FAILPOINT=failpoint)
        run = await start("family", 3)
        died = False

        async def over() -> bool:
            nonlocal pid, died
            if not died and not alive(pid):
                died = True
                stage.bury(pid)
                pid = stage.spawn()
            record = await world.get_run(run.run_id)
            assert record is not None
            assert record.parked is None, record.parked
            return record.completed_at is not None

        await soon(over, f"the end with {failpoint}")
        kids = {0: 0, 1: 0 + 10, 2: 0 + 10 + 20}
        await check_run(world, run.run_id, stage.bodies(), 30 + sum(kids.values()))
        found = await _descendants(world, run.run_id)
        values = [Codec().decode(child.input)["n"] for child in found]
        assert sorted(values) == [0, 0, 0, 1, 1, 2], failpoint
        for child, n in zip(found, values, strict=True):
            await check_run(world, child.run_id, stage.bodies(), kids[n])
        kill(pid)
        stage.bury(pid)
        return died


async def _descendants(world: World, parent: str) -> list[RunRecord]:
    """Every run of the world that goes back to this one, found by its parent."""
    every = (await world.list_runs(RunFilter(), limit=1000)).items
    own = [run for run in every if run.parent_run == parent]
    return own + [r for child in own for r in await _descendants(world, child.run_id)]


@pytest.mark.fault("F50")
@pytest.mark.parametrize("target", ["local", "postgres"])
@pytest.mark.parametrize("name", ["before_commit", "commit"])
def test_no_child_is_lost_or_started_twice(name: str, target: Target, tmp_path: Path) -> None:
    """The worker is killed around its commits, between the start of a child and its first turn,
    and between its end and its parent's: parent, children and grandchildren end as ever."""
    stride = 1 if THOROUGH else {"local": 3, "postgres": 6}[target]
    first = 1 + (name == "before_commit") * (stride // 2)

    async def main() -> int:
        for nth in itertools.count(first, stride):
            assert nth < COMMITS
            if not await family(stage, f"{name}:{nth}"):
                return nth
        raise AssertionError("unreachable")

    with Stage(tmp_path, target, lease=600).clearing() as stage:
        assert asyncio.run(main()) > 8, "the scenario has more commits than that"


def test_every_failpoint_has_a_test() -> None:
    """A point that no test arms proves nothing."""
    tests = [
        *Path(__file__).parent.glob("*.py"),
        *Path(__file__).parents[1].glob("end_to_end/*.py"),
    ]
    text = "\n".join(path.read_text() for path in tests)
    assert [name for name in NAMES if f'"{name}' not in text] == []

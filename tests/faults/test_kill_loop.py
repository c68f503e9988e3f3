"""Workers are killed at random, and every run ends as if nobody had been."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.faults.kill_loop import kill_loop
from tests.faults.stage import Stage, Target

THOROUGH = "WORKFLOW_TEST_THOROUGH" in os.environ


@pytest.mark.fault("F5", "C5")
@pytest.mark.parametrize("target", ["local", "postgres"])
def test_killed_workers_lose_nothing_and_do_nothing_twice(target: Target, tmp_path: Path) -> None:
    """F5: three workers, kills every 50 to 500 ms: all runs end, each result recorded once."""
    runs, seconds = (200, 60.0) if THOROUGH else (12, 2.5)
    with Stage(tmp_path, target).clearing() as stage:
        outcome = asyncio.run(kill_loop(stage, runs=runs, seconds=seconds))
    assert len(outcome.histories) == runs
    assert outcome.kills > seconds
    assert all(each.steps == 15 for each in outcome.histories)

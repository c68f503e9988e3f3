"""The worlds that tests of the engine run on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.serving import MakeWorld
from tests.postgres import new_world
from workflow.worlds import local, memory


@pytest.fixture(params=["memory", "local", "postgres"])
def make_world(request: pytest.FixtureRequest, tmp_path: Path) -> MakeWorld:
    """Makes a new world on a clock of the test."""
    if request.param == "memory":
        return lambda clock: memory.create(clock)
    if request.param == "postgres":
        return lambda clock: new_world(clock)
    return lambda clock: local.create_local_world(data_dir=tmp_path / "data", clock=clock)

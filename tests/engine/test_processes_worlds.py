"""Steps with run_in="process" on the worlds that keep things: what they leave there, and when."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from tests.engine.test_processes import FLOWS, all_gone, pids_of
from tests.postgres import new_world
from tests.project import Events, build, loaded
from workflow.api import get_run, start
from workflow.engine import Application, Project
from workflow.errors import WorkflowRunCancelledError
from workflow.world.port import World
from workflow.worlds import local


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Any]:
    folder = tmp_path_factory.mktemp("processes")
    return build(folder, FLOWS), loaded(folder)


@pytest.fixture(params=["local", "postgres"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    if request.param == "postgres":
        return new_world()
    return local.create_local_world(data_dir=tmp_path / "data")


def test_results_streams_and_crashes_are_kept(
    project: tuple[Project, Any], world: World, tmp_path: Path
) -> None:
    """Large arguments, streams, attributes, runs of its own, crashed attempts: all in the log."""
    built, flows = project

    async def main() -> None:
        async with Application(world, built, grace=0.1) as application:
            data = os.urandom(300_000)
            facts, died, talked, passed, nested = await asyncio.gather(
                start(flows.facts, data),
                start(flows.survives, str(tmp_path), "kill"),
                start(flows.talks),
                start(flows.passes_on),
                start(flows.outer, 3),
            )
            about, _ = await facts.result(60)
            assert (about["size"], about["run"]) == (300_000, facts.run_id)
            assert about["pid"] != os.getpid()

            assert await died.result(60) == "lived at 3"
            log = await Events.of(application.world, died.run_id)
            (ended,) = [event for event in log.all if event.type == "step_completed"]
            assert b'"attempt":3' in (ended.meta or b"")

            value, other = await talked.result(60)
            assert value == await get_run(other).return_value == 21
            assert await talked.attributes == {"colour": "blue"}
            assert (await get_run(other).attributes)["$parent_run_id"] == talked.run_id
            lines = [line async for line in talked.get_readable(namespace="lines")]
            assert lines == ["one", "two"]

            assert await passed.result(60) == ["line 0", "line 1", "line 2"]
            assert [part[0] for part in await nested.result(60)] == [0, 3, 6, 9]

    asyncio.run(main())


def test_a_cancelled_run_ends_its_process(
    project: tuple[Project, Any], world: World, tmp_path: Path
) -> None:
    """The process and what it started are gone, and the run ends as cancelled."""
    built, flows = project

    async def main() -> None:
        async with Application(world, built, grace=0.1):
            run = await start(flows.waits, str(tmp_path))
            pids = await pids_of(tmp_path)
            await run.cancel("enough")
            await all_gone(pids)
            with pytest.raises(WorkflowRunCancelledError, match="enough"):
                await run.result(60)

    asyncio.run(main())

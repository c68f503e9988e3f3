"""Workers say that their code is in use, so that `wfc prune` leaves it. On every world."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.postgres import new_world
from tests.project import build, ended, loaded
from workflow.api import start
from workflow.engine import Application
from workflow.policy.keeping import KEPT, SAY_AGAIN
from workflow.testing.clock import VirtualClock
from workflow.world.port import Clock, World
from workflow.worlds import local, memory

FLOWS = """
    async def doubled(n: int) -> int:
        "use step"
        return 2 * n

    async def double(n: int) -> int:
        "use workflow"
        return await doubled(n)
"""

MakeWorld = Callable[[Clock], World]


@pytest.fixture(params=["memory", "local", "postgres"])
def make_world(request: pytest.FixtureRequest, tmp_path: Path) -> MakeWorld:
    if request.param == "memory":
        return memory.MemoryWorld
    if request.param == "postgres":
        return new_world
    return lambda clock: local.create_local_world(tmp_path / "data", clock)


def test_a_run_is_pinned_to_a_bundle_that_is_there(
    make_world: MakeWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that was silent for days, and whose bundle was pruned, puts it again before it pins
    a run to it."""
    monkeypatch.setenv("WORKFLOW_LEASE", "3600")  # nothing of what it does from time to time
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        clock = VirtualClock()
        world = make_world(clock)
        async with Application(world, project) as application:
            clock.advance(3 * KEPT / 1_000_000)
            gone = await world.prune_bundles(clock.now() - KEPT)
            assert project.bundle.hash in gone
            run = await start(loaded(tmp_path).double, 21)
            record = await ended(application, run.run_id)
            assert record.bundle == project.bundle.hash
            assert await world.get_bundle(record.bundle) == project.bundle.to_bytes()
            assert await world.get_bundle(project.registry.fingerprint) is not None

    asyncio.run(main())


def test_the_code_of_a_worker_stays(
    make_world: MakeWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A live worker says again that it uses its code when an hour is over, with nothing to do."""
    monkeypatch.setenv("WORKFLOW_LEASE", "0.3")
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        clock = VirtualClock()
        world = make_world(clock)
        async with Application(world, project):
            then = clock.now()
            both = {project.bundle.hash, project.registry.fingerprint}
            assert set(await world.prune_bundles(then + 1, dry_run=True)) == both
            clock.advance(SAY_AGAIN / 1_000_000)

            async with asyncio.timeout(60):
                while await world.prune_bundles(then + 1, dry_run=True):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)  # it looks around by the time of the host

    asyncio.run(main())

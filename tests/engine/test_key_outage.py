"""Where the keys of runs come from may be away for a while, or refuse the key of one run."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.project import build, ended
from workflow.api import start
from workflow.engine import Application, Project
from workflow.engine.sealing import sealing
from workflow.errors import WorldError
from workflow.world.records import Append, NewRun, NewTask, WorkerRecord
from workflow.worlds.local import LocalWorld

FLOWS = """
    import asyncio

    from workflow import sleep

    async def add(a: int, b: int) -> int:
        "use step"
        return a + b

    async def many(count: int) -> int:
        "use workflow"
        await sleep("1ms")
        return sum(await asyncio.gather(*[add(n, 1) for n in range(count)]))
"""


class WithKeys(LocalWorld):
    """A local world whose keys come from elsewhere. `away`: from there comes an error, for all
    runs or, with `refused`, for one."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.away = False
        self.refused = ""
        self.failures = 0

    async def encryption_keys(self, run_id: str) -> Sequence[bytes]:
        if self.away or run_id == self.refused:
            self.failures += 1
            raise ConnectionError("the keys are away")
        return [bytes(32)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return build(tmp_path_factory.mktemp("project"), FLOWS)


class Flaky(WithKeys):
    """The keys of a run are away for the first worker that asks for them, twice."""

    async def encryption_keys(self, run_id: str) -> Sequence[bytes]:
        self.away = self.failures < 2
        return await super().encryption_keys(run_id)


def test_what_was_claimed_without_its_key_is_not_lost(project: Project, tmp_path: Path) -> None:
    """Nobody else gets it as long as this worker lives, so this one takes it up again."""

    async def main() -> None:
        starter, world = WithKeys(tmp_path / "data"), Flaky(tmp_path / "data")
        async with Application(starter, project, worker=False) as application:
            run = await start("many", 20)
            async with Application(world, project):
                assert (await ended(application, run.run_id)).status == "completed"
        assert world.failures == 2

    asyncio.run(main())


def test_tasks_that_were_claimed_without_their_keys(tmp_path: Path) -> None:
    """Those that can be read are handed out, and the others with a later claim, at the attempt
    that they were claimed for."""

    async def main() -> None:
        writer, keys = sealing(WithKeys(tmp_path / "data")), WithKeys(tmp_path / "data")
        reader = sealing(keys)
        await writer.open()
        await reader.open()
        try:
            await writer.beat(WorkerRecord(worker="ann", lease_until=writer.now() + 10**9))
            for run_id in ("r1", "r2"):
                await writer.create(NewRun(run_id=run_id, workflow="f", input=b"", meta=b"{}"))
                (run,) = (await writer.claim_runs("ann", 9)).runs
                task = NewTask(step_id=f"s {run_id}", name="step", payload=b"secret")
                done = await writer.append(
                    Append(
                        run_id=run_id, worker="ann", fence=run.fence, expected=run.head, at=0,
                        seen=run.mail, add_tasks=(task,), release=True,
                    )
                )  # fmt: skip
                assert done.ok
            keys.away = True
            assert await reader.claim_tasks("ann", 1, ["step"]) == ()
            with pytest.raises(WorldError, match="no keys for r1: the keys are away"):
                await reader.load("r1")
            keys.away, keys.refused = False, "r1"
            (task,) = await reader.claim_tasks("ann", 9, ["step"])
            assert (task.run_id, task.payload, task.attempt) == ("r2", b"secret", 1)
            assert await writer.claim_tasks("ann", 9, ["step"]) == ()
            keys.refused = ""
            (task,) = await reader.claim_tasks("ann", 9, ["step"])
            assert (task.run_id, task.payload, task.attempt) == ("r1", b"secret", 1)
            assert await reader.claim_tasks("ann", 9, ["step"]) == ()
        finally:
            await writer.close()
            await reader.close()

    asyncio.run(main())


def test_one_run_without_a_key_stops_no_other(project: Project, tmp_path: Path) -> None:
    """It stays with its worker, which tries again; the others go on, and so does it in the end."""

    async def main() -> None:
        starter, world = WithKeys(tmp_path / "data"), WithKeys(tmp_path / "data")
        async with Application(starter, project, worker=False) as application:
            first, *others = [await start("many", 20) for _ in range(4)]
            world.refused = first.run_id
            async with Application(world, project):
                for run in others:
                    assert (await ended(application, run.run_id)).status == "completed"
                late = await start("many", 20)
                assert (await ended(application, late.run_id)).status == "completed"
                waiting = await application.world.get_run(first.run_id)
                assert waiting is not None
                assert (waiting.status, waiting.parked) == ("pending", None)
                assert world.failures > 0
                world.refused = ""
                assert (await ended(application, first.run_id)).status == "completed"

    asyncio.run(main())

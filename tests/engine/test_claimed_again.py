"""A run that is claimed again while the answer of the append that gave it up is on its way."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.project import build
from workflow.api import start
from workflow.engine import Application
from workflow.world.records import Append, Appended, Claimed, Letter, Loaded
from workflow.worlds.memory import MemoryWorld

FLOWS = """
from workflow import sleep


async def add(n: int) -> int:
    "use step"
    return n + 1


async def naps() -> int:
    "use workflow"
    n = await add(await add(0))
    await sleep("1 day")
    return await add(n)
"""


class LateAnswer(MemoryWorld):
    """The answer of the first append that gives a run up comes when the run is claimed again."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded_after: list[int] = []
        self._given_up = False
        self._claimed_again = asyncio.Event()

    async def append(self, append: Append) -> Appended:
        done = await super().append(append)
        if append.release and done.ok and not self._given_up:
            self._given_up = True
            await self.post(append.run_id, Letter(kind="wake"))
            async with asyncio.timeout(60):
                await self._claimed_again.wait()
            for _ in range(20):  # whatever the new owner does now, it does before us
                await asyncio.sleep(0)
        return done

    async def claim_runs(self, worker: str, limit: int) -> Claimed:
        claimed = await super().claim_runs(worker, limit)
        if self._given_up and claimed.runs:
            self._claimed_again.set()
        return claimed

    async def load(self, run_id: str, *, after: int = 0, limit: int = 256) -> Loaded:
        self.loaded_after.append(after)
        return await super().load(run_id, after=after, limit=limit)


def test_its_log_is_not_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run goes on with the live copy that its last owner in this worker leaves behind."""
    monkeypatch.setenv("WORKFLOW_REPLAY_CHECK", "0")  # the checks read the log, too
    project = build(tmp_path, FLOWS)

    async def main() -> list[int]:
        world = LateAnswer()
        async with Application(world, project):
            assert await (await start("naps")).result(60) == 3
        return world.loaded_after

    first, *others = asyncio.run(main())
    assert first == 0
    assert others
    assert 0 not in others

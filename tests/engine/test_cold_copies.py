"""Copies made from a log alone: what is left of them, whether the replay went well or not."""

from __future__ import annotations

import asyncio
from collections import deque
from pathlib import Path
from typing import Any, ClassVar

import pytest
from msgspec.structs import replace

from tests.engine.test_versions import waiting
from tests.project import build
from workflow.api import resume_hook, start
from workflow.engine import Application, cold
from workflow.engine.worker import Worker
from workflow.errors import DivergenceError, SerializationError
from workflow.events import Event, NewEvent
from workflow.replay.live import LiveRun
from workflow.testing import VirtualClock
from workflow.world.records import RunRecord
from workflow.worlds import memory
from workflow.worlds.memory import MemoryWorld

FLOWS = """
    from workflow import create_hook

    async def note(n: int) -> int:
        "use step"
        return n

    async def main(token: str) -> int:
        "use workflow"
        n = await note(1)
        await create_hook(token=token)
        return n
"""


class Kept(LiveRun):
    """Remembers all copies there ever were."""

    made: ClassVar[list[LiveRun]] = []

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.made.append(self)


@pytest.fixture(autouse=True)
def _keep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Kept, "made", [])
    monkeypatch.setattr(cold, "LiveRun", Kept)
    monkeypatch.setenv("WORKFLOW_REPLAY_CHECK", "1")


async def begun(world: MemoryWorld, folder: Path) -> tuple[Worker, RunRecord, tuple[Event, ...]]:
    """A worker that works on nothing, a run that waits for its hook, and its log."""
    project = build(folder, FLOWS)
    async with Application(world, project):
        run = await start("main", "t")
        await waiting(world, "t")
    await world.open()
    loaded = await world.load(run.run_id)
    return Worker(world, project), loaded.run, loaded.events


def test_the_copies_of_checks_are_closed(tmp_path: Path) -> None:
    """Each turn is checked with a copy of its own; none of them is left to the garbage collector,
    and neither is the one that the run lived in."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        world = memory.create(VirtualClock())
        async with Application(world, project):
            run = await start("main", "t")
            await waiting(world, "t")
            await resume_hook("t", None)
            assert await run.result(60) == 1
        assert len(Kept.made) >= 4
        assert [copy.loop.is_closed() for copy in Kept.made] == [True] * len(Kept.made)

    asyncio.run(main())


def test_a_copy_that_went_well_is_open_and_traces_no_more(tmp_path: Path) -> None:
    """Lines are needed for the errors of a replay only; what is live pays nothing for them."""

    async def main() -> None:
        worker, run, log = await begun(memory.create(), tmp_path)
        pending: deque[NewEvent] = deque()
        copy = await cold.cold_copy(worker, run, log, pending)
        assert not copy.loop.is_closed()
        assert not copy.trace
        assert copy.head == len(log)
        (hook,) = [event for event in log if event.type == "hook_created"]
        payload = worker.codec.encode(None)
        given = NewEvent(type="hook_received", at=log[-1].at, ref=hook.ref, payload=payload)
        assert [each.type for each in copy.feed(given)] == ["run_completed"]
        assert copy._sources == []
        copy.close()

    asyncio.run(main())


@pytest.mark.parametrize("how", ["divergence", "value"])
def test_a_copy_that_failed_is_closed(tmp_path: Path, how: str) -> None:
    """Its body is ended there and then."""

    async def main() -> None:
        worker, run, log = await begun(memory.create(), tmp_path)
        wrong = (
            replace(log[1], name="step//other.py//other")
            if how == "divergence"
            else replace(log[2], payload=b"devl[")
        )
        spoilt = [wrong if event.seq == wrong.seq else event for event in log]
        Kept.made.clear()
        with pytest.raises((DivergenceError, SerializationError)) as caught:
            await cold.cold_copy(worker, run, spoilt, deque())
        error: Any = caught.value
        assert error.position == wrong.seq
        (copy,) = Kept.made
        assert copy.loop.is_closed()

    asyncio.run(main())

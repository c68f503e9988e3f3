"""A session whose run is not its own any more, or whose world is away: it drops what it has."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.project import Events, build, ended, loaded, until
from workflow.api import start
from workflow.codec import Codec
from workflow.engine import Application, session
from workflow.engine.session import Session
from workflow.engine.worker import Worker
from workflow.errors import WorldError
from workflow.testing import VirtualClock
from workflow.world.records import Append, Appended, Letter, Loaded, Parked, WorkerRecord
from workflow.worlds.memory import MemoryWorld

START = 1_700_000_000_000_000

FLOWS = """
    import asyncio

    from workflow import create_hook, sleep

    calls = []

    async def note(text: str) -> str:
        "use step"
        calls.append(text)
        return text

    async def stubborn() -> str:
        "use step"
        calls.append("stubborn")
        if len(calls) == 1:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                calls.append("cancelled")
        return f"said after {len(calls)} calls"

    async def persists() -> str:
        "use workflow"
        return await stubborn()

    async def main() -> str:
        "use workflow"
        return await note("one")

    async def naps() -> None:
        "use workflow"
        await sleep("1 day")

    async def asks() -> str:
        "use workflow"
        hook = create_hook(token="t")
        owner = await hook.get_conflict()
        return await note(f"held by {owner}")
"""


class Counting(MemoryWorld):
    """Counts the appends that are tried, and fails one load when it is told to."""

    def __init__(self) -> None:
        clock = VirtualClock(START)
        super().__init__(clock)
        self.advance = clock.advance
        self.tried = 0
        self.trouble: Exception | None = None  # of the read after the append of a hook
        self._away = False

    async def append(self, append: Append) -> Appended:
        self.tried += 1
        asks = any(event.type == "hook_requested" for event in append.events)
        if asks and self.trouble is not None:
            await self.post(append.run_id, Letter(kind="nudge"))  # so that the run is read again
            self._away = True
        return await super().append(append)

    async def load(self, run_id: str, *, after: int = 0, limit: int = 256) -> Loaded:
        away, self._away = self._away, False
        if away and self.trouble is not None:
            raise self.trouble
        return await super().load(run_id, after=after, limit=limit)


@pytest.mark.parametrize("how", ["claimed again", "free", "parked"])
def test_a_session_that_has_lost_its_run_tries_nothing(tmp_path: Path, how: str) -> None:
    """It reads that the run is another's, nobody's or parked, and takes no turn."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        world = Counting()
        async with Application(world, project, worker=False):
            run = await start("main")
            worker = Worker(world, project)
            await worker._beat()
            (claimed,) = (await world.claim_runs(worker.id, 1)).runs
            if how == "parked":
                parked = Parked(code="test", reason="by hand")
                assert await world.park(run.run_id, worker.id, claimed.fence, parked)
            else:
                await world.leave(worker.id)
                await worker._beat()
            if how == "claimed again":
                (again,) = (await world.claim_runs(worker.id, 1)).runs
                assert (again.owner, again.fence) == (worker.id, claimed.fence + 1)
            lost = Session(worker, claimed)
            await lost.run()
            assert lost.over.is_set()
            assert world.tried == 0
            assert (await Events.of(world, run.run_id)).types() == ["run_created"]
            await worker.processes.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    "trouble",
    [
        WorldError("the connection broke"),
        OSError(errno.EMFILE, "too many open files"),
        OSError(errno.ENOMEM, "out of memory"),
        MemoryError(),
        RuntimeError("can't start new thread"),
    ],
    ids=lambda trouble: str(trouble) or "MemoryError",
)
def test_what_was_decided_before_the_world_was_away_is_decided_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    """The answer to a hook has let the body go on. What it asked for is not recorded yet when the
    connection breaks: the copy is dropped with it, and the next one asks for it again. What this
    machine lacks for a moment is treated alike, and no reason to park a run."""
    monkeypatch.setattr(session, "PATIENCE", 0.01)
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        world = Counting()
        world.trouble = trouble
        async with Application(world, project) as application:
            run = await start("asks")
            record = await ended(application, run.run_id)
            assert record.status == "completed"
            assert (await Events.of(world, run.run_id)).types() == [
                "run_created",
                "hook_requested",
                "hook_created",
                "step_created",
                "step_completed",
                "run_completed",
            ]

    asyncio.run(main())


def test_what_a_body_says_after_its_attempt_was_taken_back_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It swallows its cancellation and returns, when another attempt has been given out already."""
    monkeypatch.setattr(session, "PATIENCE", 0.01)
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        world = Counting()
        flows = loaded(tmp_path)
        async with Application(world, project) as application:
            run = await start("persists")
            async with asyncio.timeout(60):
                while not flows.calls:  # noqa: ASYNC110  # in memory: a matter of turns
                    await asyncio.sleep(0)
            world.trouble = WorldError("the connection broke")
            world._away = True
            await world.post(run.run_id, Letter(kind="nudge"))

            async def given_out() -> bool:
                return bool(await world.list_tasks(run.run_id))

            await until(world, given_out, what="that there is another attempt")
            for _ in range(50):
                await asyncio.sleep(0)
            assert flows.calls == ["stubborn", "cancelled"]
            assert "step_completed" not in (await Events.of(world, run.run_id)).types()
            world.advance(60)
            record = await ended(application, run.run_id)
            assert Codec({}).decode(record.output or b"") == "said after 3 calls"

    asyncio.run(main())


class Unanswered(MemoryWorld):
    """One append gets no answer: it is in, or another worker has made the same one instead."""

    def __init__(self, event: str, *, taken: bool = False) -> None:
        super().__init__(VirtualClock(START))
        self.event = event
        self.taken = taken

    async def append(self, append: Append) -> Appended:
        if not any(event.type == self.event for event in append.events):
            return await super().append(append)
        self.event = ""
        if self.taken:
            await self.leave(append.worker)
            await self.beat(WorkerRecord(worker="other", lease_until=self.now() + 10**12))
            (claimed,) = (await self.claim_runs("other", 1)).runs
            append = replace(append, worker="other", fence=claimed.fence)
        assert (await super().append(append)).ok
        raise WorldError("the connection broke")


@pytest.mark.parametrize(
    ("workflow", "event"), [("main", "step_created"), ("naps", "wait_created")]
)
def test_another_ones_append_is_not_taken_for_the_own(
    tmp_path: Path, workflow: str, event: str
) -> None:
    """The log has as many events as were sent, but under another fence: they are another's, and so
    are the steps they begin. A copy that was fed anything else must not be kept."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        world = Unanswered(event, taken=True)
        async with Application(world, project, worker=False):
            run = await start(workflow)
            worker = Worker(world, project)
            await worker.work_once()
            assert loaded(tmp_path).calls == []
            assert worker._cache == {}
            record = await world.get_run(run.run_id)
            assert record is not None
            assert record.owner == ("other" if workflow == "main" else None)
            await worker.processes.close()

    asyncio.run(main())


def test_an_answer_to_a_hook_that_was_lost_with_its_append_is_read(tmp_path: Path) -> None:
    """What the world opened stands in the log behind the append, and is fed from there."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        world = Unanswered("hook_requested")
        async with Application(world, project) as application:
            run = await start("asks")
            assert (await ended(application, run.run_id)).status == "completed"
            assert loaded(tmp_path).calls == ["held by None"]

    asyncio.run(main())

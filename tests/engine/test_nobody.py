"""Whoever waits for a result is told when nothing will come of it as things are."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator

import pytest

from tests.project import build
from workflow.api import start
from workflow.engine import Application, Project, nobody
from workflow.world.records import Parked, WorkerRecord
from workflow.worlds.memory import MemoryWorld

PATIENCE = 60.0  # seconds; only ever used up by a broken test
SOURCE = """
    async def flow() -> int:
        "use workflow"
        return 1
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return build(tmp_path_factory.mktemp("project"), SOURCE)


class Told(logging.Handler):
    """What is logged, with an event for the first of it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.words: list[str] = []
        self.some = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.words.append(record.getMessage())
        self.some.set()


@contextlib.contextmanager
def listening() -> Iterator[Told]:
    handler = Told()
    logging.getLogger("workflow").addHandler(handler)
    try:
        yield handler
    finally:
        logging.getLogger("workflow").removeHandler(handler)


async def words_about(project: Project, *, park: bool) -> list[str]:
    """What somebody reads who waits for two runs that nobody takes, or that are parked."""
    world = MemoryWorld()
    async with Application(world, project, worker=False):
        runs = [await start("flow") for _ in range(1 if park else 2)]
        if park:
            await world.beat(WorkerRecord(worker="w", lease_until=world.now() + 60_000_000))
            [run] = (await world.claim_runs("w", 1)).runs
            parked = Parked(code="divergence", reason="the log differs")
            assert await world.park(run.run_id, "w", run.fence, parked)
        with listening() as told:
            waiting = [asyncio.create_task(run.result()) for run in runs]
            await asyncio.wait_for(told.some.wait(), PATIENCE)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
    return told.words


def test_without_a_worker(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """One warning, however many wait, that says how to get a worker."""
    monkeypatch.setattr(nobody, "_PATIENCE", 0.0)
    monkeypatch.setattr(nobody, "_told", set())
    [words] = asyncio.run(words_about(project, park=False))
    assert "no worker is alive: serve the application" in words
    assert "`wfc worker`" in words


def test_a_parked_run(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The warning has the reason, and the command that lets the run go on."""
    monkeypatch.setattr(nobody, "_PATIENCE", 0.0)
    monkeypatch.setattr(nobody, "_told", set())
    [words] = asyncio.run(words_about(project, park=True))
    assert "is parked (divergence), and its result is waited for: the log differs" in words
    assert "wfc resume wrun_" in words


def test_nothing_is_said_where_a_worker_is(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that goes on needs no words."""
    monkeypatch.setattr(nobody, "_PATIENCE", 0.0)
    monkeypatch.setattr(nobody, "_told", set())

    async def main() -> list[str]:
        with listening() as told:
            async with Application(MemoryWorld(), project):
                for _ in range(20):
                    assert await (await start("flow")) == 1
        return told.words

    assert asyncio.run(main()) == []

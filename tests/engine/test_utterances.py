"""What a body prints and logs: told once, after the append, and never by a replay."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import new_world
from tests.project import build, ended, until
from workflow.api import resume_hook, start
from workflow.engine import Application
from workflow.world.port import World
from workflow.world.records import Append, Appended
from workflow.worlds import local, memory

FLOWS = """
    import logging
    from workflow import create_hook

    async def work(n: int) -> int:
        "use step"
        return n

    async def main(token: str) -> int:
        "use workflow"
        print("begun")
        n = await work(1)
        print("worked", n)
        logging.getLogger("flows").warning("half of it")
        await create_hook(token=token)
        print("answered")
        return n
"""
PRINTED = ["begun", "worked 1", "answered"]


@pytest.fixture(params=["memory", "local", "postgres"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    if request.param == "memory":
        return memory.create()
    if request.param == "postgres":
        return new_world()
    return local.create_local_world(data_dir=tmp_path / "data")


async def has_hook(world: World) -> None:
    async def look() -> bool:
        return await world.get_hook("t") is not None

    await until(world, look, what="the hook")


class Listener:
    """Looks at what is printed while appends are made, and may meddle with them."""

    def __init__(self, world: World, capsys: pytest.CaptureFixture[str]) -> None:
        self._append = world.append
        self._capsys = capsys
        self.printed: list[str] = []
        self.before: dict[str, list[str]] = {}  # what was printed before the append of an event
        self.meddle: Callable[[Append], Any] | None = None
        world.append = self.append  # type: ignore[method-assign]

    def listen(self) -> list[str]:
        self.printed += [line for line in self._capsys.readouterr().out.splitlines() if line]
        return list(self.printed)

    async def append(self, append: Append) -> Appended:
        if self.meddle is not None:
            await self.meddle(append)
        done = await self._append(append)
        for event in append.events:
            self.before[event.type] = self.listen()
        return done


def test_what_a_body_says_is_told_once_and_after_its_append(
    world: World,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A second process replays the log from the start, and repeats nothing of it."""
    project = build(tmp_path, FLOWS)
    listener = Listener(world, capsys)

    async def main() -> None:
        async with Application(world, project):
            run = await start("main", "t")
            await has_hook(world)
        async with Application(world, project) as application:
            await resume_hook("t", None)
            assert (await ended(application, run.run_id)).status == "completed"

    with caplog.at_level(logging.WARNING, logger="flows"):
        asyncio.run(main())
    assert listener.listen() == PRINTED
    assert [r.getMessage() for r in caplog.records if r.name == "flows"] == ["half of it"]
    assert listener.before["step_created"] == []
    assert listener.before["step_completed"] == ["begun"]
    assert listener.before["run_completed"] == ["begun", "worked 1"]


def test_a_refused_append_leaves_no_print(
    world: World,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Who has lost a run says nothing of its turn; the next owner takes the turn and says it."""
    project = build(tmp_path, FLOWS)
    listener = Listener(world, capsys)
    refused: list[list[str]] = []

    async def take_over(append: Append) -> None:
        if refused or not any(event.type == "step_completed" for event in append.events):
            return
        await world.leave(append.worker)  # the owner counts as dead, and its run is free
        other = (await world.claim_runs("other", 1)).runs
        done = await listener._append(append)
        assert not done.ok
        refused.append(listener.listen())
        if other:
            await world.leave("other")

    listener.meddle = take_over

    async def main() -> None:
        async with Application(world, project) as application:
            run = await start("main", "t")
            await has_hook(world)
            await resume_hook("t", None)
            assert (await ended(application, run.run_id)).status == "completed"

    with caplog.at_level(logging.WARNING, logger="flows"):
        asyncio.run(main())
    assert refused == [["begun"]]
    assert listener.listen() == PRINTED
    assert [r.getMessage() for r in caplog.records if r.name == "flows"] == ["half of it"]

"""Build a small project in a temporary folder and work on it: real compiler, real engine."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import sys
import textwrap
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import wfc
from workflow.engine import Application, Project
from workflow.events import Event
from workflow.world.port import World
from workflow.world.records import RunRecord

__all__ = ["Events", "build", "ended", "module_of", "until"]

T = TypeVar("T")
PATIENCE = 60.0  # seconds; only ever used up by a broken test


def build(folder: Path, source: str, *, name: str | None = None) -> Project:
    """Write `source` as a module of a project in `folder`, build it, and load the build."""
    module = name or module_of(folder)
    (folder / f"{module}.py").write_text(textwrap.dedent(source), encoding="utf-8")
    result = wfc.build(folder)
    problems = [str(d) for d in result.diagnostics if d.severity == "error"]
    assert not problems, problems
    return Project.load(folder / "generated")


def module_of(folder: Path) -> str:
    """A module name no other test uses: modules stay loaded for the life of the process."""
    return f"flows_{hashlib.sha256(str(folder).encode()).hexdigest()[:10]}"


def loaded(folder: Path) -> Any:
    """The user's module, as the project imported it."""
    return sys.modules[module_of(folder)]


async def until(
    world: World, look: Callable[[], Awaitable[T | None]], *, what: str = "what was expected"
) -> T:
    """Wait until `look` returns something true: what it looks at may be in the world, and is looked
    at after every change, or elsewhere."""
    change = 0
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.2):
                        change = await world.wait_for_change(change, None)
                found = await look()
                if found:
                    return found
    except TimeoutError:
        raise AssertionError(f"{what} did not happen within {PATIENCE:g} s") from None


async def ended(application: Application, run_id: str) -> RunRecord:
    """Wait until the run has ended, or fail with the reason it is parked for."""

    async def look() -> RunRecord | None:
        run = await application.world.get_run(run_id)
        assert run is not None
        assert run.parked is None, run.parked
        return run if run.completed_at is not None else None

    return await until(application.world, look, what=f"the end of {run_id}")


class Events:
    """A run's log, for assertions."""

    def __init__(self, events: tuple[Event, ...]) -> None:
        self.all = events

    @classmethod
    async def of(cls, world: World, run_id: str) -> Events:
        return cls(await world.list_events(run_id))

    def types(self) -> list[str]:
        return [event.type for event in self.all]

    def named(self, type: str) -> list[str]:
        return [event.name.rpartition("//")[2] for event in self.all if event.type == type]

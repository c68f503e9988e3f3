"""Build an example in a temporary copy, and run it on the memory world at a chosen moment."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

import wfc
from tests import forks
from workflow.api import Run, list_runs
from workflow.engine import Application, Project
from workflow.testing import VirtualClock
from workflow.worlds.local import create_local_world
from workflow.worlds.memory import MemoryWorld, create

__all__ = [
    "EXAMPLES",
    "SERVED",
    "Scene",
    "copy_and_build",
    "inside",
    "killed",
    "scene",
    "served",
    "taken_over",
]

# The beginning of a script that imports an application as uvicorn would, and lets it live.
SERVED = """
import asyncio, json
from contextlib import asynccontextmanager


@asynccontextmanager
async def served(app):
    asked, answered = asyncio.Queue(), asyncio.Queue()
    await asked.put({"type": "lifespan.startup"})
    life = asyncio.create_task(app({"type": "lifespan"}, asked.get, answered.put))
    started = await answered.get()
    assert started["type"] == "lifespan.startup.complete", started
    yield
    await asked.put({"type": "lifespan.shutdown"})
    assert (await answered.get())["type"] == "lifespan.shutdown.complete"
    await life
"""
EXAMPLES = Path(__file__).parents[2] / "examples"


def copy_and_build(name: str, folder: Path) -> Path:
    """A built copy of an example in `folder`."""
    ignored = shutil.ignore_patterns(
        "generated", ".workflow-*", "__pycache__", "outbox", "bookings.jsonl"
    )
    copy = Path(shutil.copytree(EXAMPLES / name, folder / name, ignore=ignored))
    result = wfc.build(copy)
    assert not result.diagnostics, [str(d) for d in result.diagnostics]
    return copy


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Work in `folder`: the examples keep their files where they are started."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@dataclass
class Scene:
    """One application on a memory world, whose clock the test moves."""

    world: MemoryWorld
    clock: VirtualClock
    application: Application


@asynccontextmanager
async def scene(project: Project) -> AsyncIterator[Scene]:
    """The project at work, from 2025-01-01T00:00:00Z on."""
    clock = VirtualClock()
    world = create(clock)
    async with asyncio.timeout(60), Application(world, project) as application:
        yield Scene(world, clock, application)


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application that lives as in a server: its start-up comes before."""
    asked: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    answered: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    await asked.put({"type": "lifespan.startup"})
    life = asyncio.create_task(app({"type": "lifespan"}, asked.get, answered.put))
    assert (await answered.get())["type"] == "lifespan.startup.complete"
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client
    await asked.put({"type": "lifespan.shutdown"})
    assert (await answered.get())["type"] == "lifespan.shutdown.complete"
    await life


def killed(folder: Path, failpoint: str, workflow: str, **given: Any) -> None:
    """Begin the first run of the local world with `wfc run`, killed at the failpoint."""
    shutil.rmtree(folder / ".workflow-data", ignore_errors=True)
    environment = {**os.environ, "WORKFLOW_FAILPOINT": failpoint, "WORKFLOW_LEASE": "0.5"}
    command = [forks.WFC, "run", workflow, "--input", json.dumps(given)]
    done = forks.run(command, cwd=folder, env=environment)
    assert done.returncode == -signal.SIGKILL, done.stderr


@asynccontextmanager
async def taken_over(folder: Path, project: Project) -> AsyncIterator[Run[Any]]:
    """The run that a killed process has left, with a worker that goes on with it."""
    world = create_local_world(folder / ".workflow-data")
    async with asyncio.timeout(60), Application(world, project):
        (run,) = [run async for run in list_runs()]
        yield run

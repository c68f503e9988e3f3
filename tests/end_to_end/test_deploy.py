"""A deploy while a run is open: real worker processes, one database, and the old files deleted."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from tests import forks
from tests.postgres import new_world, url
from tests.project import until
from workflow.codec import Codec
from workflow.world.port import World
from workflow.world.records import Letter, NewRun, RunRecord
from workflow.worlds.local import create_local_world

ORDER = "workflow//flows.py//order"
VERSION_1 = '''
    from workflow import create_hook
    from rates import discount

    async def charge(cents: int) -> str:
        "use step"
        return f"charged {cents} by the first code"

    async def order(token: str) -> list:
        "use workflow"
        """Version 1: ask first, then charge with a discount."""
        answer = await create_hook(token=token)
        return ["version 1", answer, await charge(discount(100))]
'''
RATES_1 = "def discount(cents: int) -> int:\n    return cents - 10\n"
VERSION_2 = '''
    from workflow import create_hook

    async def charge(cents: int) -> str:
        "use step"
        return f"charged {cents} by the second code"

    async def order(token: str) -> list:
        "use workflow"
        """Version 2: charge first, then ask."""
        charged = await charge(200)
        answer = await create_hook(token=token)
        return ["version 2", answer, charged]
'''


Settings = dict[str, str]


def wfc(
    folder: Path, settings: Settings, *arguments: str, python: str = sys.executable
) -> forks.Process | subprocess.Popen[bytes]:
    command = [python, "-c", "from wfc.cli import main; main()", *arguments]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **settings}
    if python == sys.executable:
        return forks.Process(command, cwd=folder, env=environment)
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=nowhere, stderr=nowhere)


async def deploy(folder: Path, **sources: str) -> None:
    """Delete the code and the build that are there, and put others in their place."""
    for old in folder.glob("*.py"):
        old.unlink()
    shutil.rmtree(folder / "generated", ignore_errors=True)
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(source), "utf-8")
    assert await asyncio.to_thread(wfc(folder, {}, "build").wait) == 0


@asynccontextmanager
async def worker(
    folder: Path, settings: Settings, python: str = sys.executable
) -> AsyncIterator[None]:
    """A worker process, asked to stop at the end."""
    process = wfc(folder, settings, "worker", python=python)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait) == 0


async def begin(world: World, token: str) -> str:
    meta = msgspec.json.encode({"seed": os.urandom(16).hex(), "base_url": ""})
    arguments = Codec().encode({"token": token})
    run_id = f"wrun_{token}"
    await world.create(NewRun(run_id=run_id, workflow=ORDER, input=arguments, meta=meta))

    async def asks() -> bool:
        return await world.get_hook(token) is not None

    await until(world, asks, what="the hook")
    return run_id


async def answer(world: World, token: str) -> None:
    payload = Codec().encode(f"yes to {token}")
    await world.post_to_token(token, Letter(kind="hook_received", payload=payload))


async def end(world: World, run_id: str) -> object:
    async def look() -> RunRecord | None:
        run = await world.get_run(run_id)
        assert run is not None
        assert run.parked is None, run.parked
        return run if run.completed_at is not None else None

    run = await until(world, look, what=f"the end of {run_id}")
    assert run.status == "completed"
    return Codec().decode(run.output or b"")


@pytest.fixture(params=["local", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[World, Settings]:
    """A world, and the settings with which other processes find it."""
    if request.param == "local":
        return create_local_world(tmp_path / ".workflow-data"), {}
    prefix = f"deploy_{os.getpid()}_{secrets.token_hex(4)}"
    world = new_world(schema=f"workflow_{prefix}")
    return world, {
        "WORKFLOW_TARGET_WORLD": "postgres",
        "WORKFLOW_POSTGRES_URL": url(),
        "WORKFLOW_POSTGRES_JOB_PREFIX": prefix,
    }


@pytest.mark.fault("F39", "C12")
def test_an_old_run_finishes_under_its_own_code_after_the_files_are_gone(
    tmp_path: Path, place: tuple[World, Settings]
) -> None:
    """Old orchestration code comes from the world, its steps are those of the new code."""
    world, settings = place

    async def main() -> None:
        await deploy(tmp_path, flows=VERSION_1, rates=RATES_1)
        await world.open()
        try:
            async with worker(tmp_path, settings):
                old = await begin(world, "old")
            await deploy(tmp_path, flows=VERSION_2)
            assert not (tmp_path / "rates.py").exists()
            async with worker(tmp_path, settings):
                new = await begin(world, "new")
                await answer(world, "old")
                await answer(world, "new")
                assert await end(world, old) == [
                    "version 1",
                    "yes to old",
                    "charged 90 by the second code",
                ]
                assert await end(world, new) == [
                    "version 2",
                    "yes to new",
                    "charged 200 by the second code",
                ]
            pinned = [await world.get_run(run_id) for run_id in (old, new)]
            assert len({run.bundle for run in pinned if run is not None}) == 2
        finally:
            await world.close()

    asyncio.run(main())


def other_pythons() -> list[str]:
    """Interpreters of other minor versions that have this project installed.

    `make test-all` makes one environment for each version. WORKFLOW_TEST_PYTHONS names others,
    separated as in PATH.
    """
    project = Path(__file__).parents[2]
    named = os.environ.get("WORKFLOW_TEST_PYTHONS", "").split(os.pathsep)
    found = [Path(name) for name in named if name]
    found += [project / f".venv-3.{minor}" / "bin" / "python" for minor in (11, 12, 13)]
    ours = tuple(sys.version_info[:2])
    ask = f"import sys, workflow; sys.exit(sys.version_info[:2] == {ours})"
    return [
        str(python)
        for python in found
        if python.exists() and subprocess.run([python, "-c", ask], check=False).returncode == 0
    ]


def test_a_run_goes_on_under_another_python(tmp_path: Path, place: tuple[World, Settings]) -> None:
    """Its log is replayed there first; it fits, and both versions have worked on one run."""
    others = other_pythons()
    if not others:
        pytest.skip("no other Python has this project installed; `make test-all` sees to that")
    world, settings = place

    async def main() -> None:
        await deploy(tmp_path, flows=VERSION_1, rates=RATES_1)
        await world.open()
        try:
            for index, other in enumerate(others):
                token = f"run{index}"
                async with worker(tmp_path, settings):
                    run_id = await begin(world, token)
                begun = await world.get_run(run_id)
                assert begun is not None
                assert begun.python == f"3.{sys.version_info.minor}"
                async with worker(tmp_path, settings, other):
                    await answer(world, token)
                    assert await end(world, run_id) == [
                        "version 1",
                        f"yes to {token}",
                        "charged 90 by the first code",
                    ]
        finally:
            await world.close()

    asyncio.run(main())

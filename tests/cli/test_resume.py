"""`wfc resume`: parked runs go on once code and log agree, and are parked again while they do not.

Real builds and real SQLite; the workers run in between the commands.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.cli.test_check import CODE, built, forget
from tests.engine.test_versions import parked, waiting
from tests.project import ended
from wfc.cli import main
from workflow.api import resume_hook, start
from workflow.engine import Application, Project
from workflow.world.port import World
from workflow.world.records import Letter, NewRun, Parked, RunRecord
from workflow.worlds.local import create_local_world


def resume(folder: Path, *arguments: str) -> Result:
    command = ["resume", *arguments, "--root", str(folder)]
    return CliRunner().invoke(main, command, catch_exceptions=False)


def look(folder: Path, play: Callable[[World], Awaitable[Any]]) -> Any:
    """Open the project's world without a worker, and return what `play` finds there."""

    async def looking() -> Any:
        world = create_local_world(folder / ".workflow-data")
        await world.open()
        try:
            return await play(world)
        finally:
            await world.close()

    return asyncio.run(looking())


def served(
    folder: Path, project: Project, play: Callable[[Application, World], Awaitable[Any]]
) -> Any:
    """Run a worker of `project` while `play` acts."""

    async def serving() -> Any:
        world = create_local_world(folder / ".workflow-data")
        async with Application(world, project) as application:
            return await play(application, world)

    return asyncio.run(serving())


async def begin(application: Application, world: World) -> str:
    del application
    run = await start("order", "t")
    await waiting(world, "t")  # type: ignore[arg-type]  # any world will do
    return run.run_id


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("sys.path", list(sys.path))
    return tmp_path


def park(folder: Path, run_id: str, bundle: str | None = None) -> None:
    """Park a run by hand; with `bundle` put it under other code and let it go on."""

    async def parking(world: World) -> None:
        await world.post(run_id, Letter(kind="nudge"))
        (run,) = (await world.claim_runs("repair", 1)).runs
        parked = Parked(code="test", reason="repair")
        assert await world.park(run_id, "repair", run.fence, parked)
        if bundle is not None:
            assert await world.unpark(run_id, bundle=bundle)

    look(folder, parking)


def test_a_divergence_stays_parked_until_code_and_log_agree(project: Path) -> None:
    """Resuming too early parks it again with the same reason, and nothing is recorded."""
    old = built(project, CODE)
    run_id = served(project, old, begin)
    new = built(project, CODE.replace("charge(5)", "charge(6)"))

    async def log(world: World) -> object:
        return await world.list_events(run_id)

    before = look(project, log)
    park(project, run_id, new.bundle.hash)

    async def until_parked(application: Application, world: World) -> Parked:
        return await parked(world, run_id)  # type: ignore[arg-type]  # any world will do

    first = served(project, new, until_parked)
    assert first.code == "divergence"
    assert first.position == 2
    for text in (
        "position 2",
        "step_created charge",
        "with other arguments",
        "flows_of_check.py:14",
        f"bundle of the run {new.bundle.hash[:12]}, of this worker {new.bundle.hash[:12]}",
        "Likely cause: the argument 'cents' has another value",
    ):
        assert text in first.reason
    result = resume(project, run_id)
    assert (result.exit_code, result.stdout) == (0, f"{run_id}\n")
    assert result.stderr == "1 run goes on with the next worker\n"
    again = served(project, new, until_parked)
    assert again == first
    assert look(project, log) == before

    async def mend(world: World) -> None:
        assert await world.unpark(run_id, bundle=old.bundle.hash)

    look(project, mend)
    park(project, run_id)
    assert resume(project, run_id).exit_code == 0
    forget()
    old = built(project, CODE)

    async def finish(application: Application, world: World) -> RunRecord:
        await resume_hook("t", None)
        return await ended(application, run_id)

    run = served(project, old, finish)
    assert run.status == "completed"
    over = resume(project, run_id)
    assert (over.exit_code, over.stdout) == (1, "")
    assert over.stderr.startswith(f"{run_id} is not parked, it is completed\n")


def test_what_is_not_parked_or_not_there_is_refused(project: Path) -> None:
    """Exit status 1 for a run that goes on anyway, 2 for wrong use; nothing is changed."""
    nowhere = resume(project, "wrun_1")
    assert nowhere.exit_code == 2
    assert "no run was ever started here" in nowhere.output
    run_id = served(project, built(project, CODE), begin)
    running = resume(project, run_id)
    assert (running.exit_code, running.stdout) == (1, "")
    assert running.stderr.splitlines() == [
        f"{run_id} is not parked, it is running",
        "no run goes on; 1 was not parked",
    ]
    unknown = resume(project, "wrun_none")
    assert unknown.exit_code == 2
    assert "wrun_none" in unknown.output
    assert resume(project).exit_code == 2
    assert resume(project, run_id, "--world", "nowhere").exit_code == 2
    for wrong in ([run_id, "--all"], [run_id, "--code", "x"], ["--all", "--code", "x"]):
        assert resume(project, *wrong).exit_code == 2


def test_many_runs_are_resumed_at_once(project: Path) -> None:
    """By their ids, by the code they are parked with, by their workflow, or all; with a count."""

    async def create(world: World) -> None:
        for n in range(6):
            new = NewRun(
                run_id=f"wrun_{n}",
                workflow=f"workflow//flows.py//{'odd' if n % 2 else 'even'}",
                input=b"devl[1]",
                meta=b"{}",
            )
            await world.create(new)

    async def park_all(world: World) -> None:
        claimed = await world.claim_runs("repair", 10)
        for run in claimed.runs:
            code = "decryption" if int(run.run_id[-1]) < 4 else "divergence"
            why = Parked(code=code, reason="repair")
            assert await world.park(run.run_id, "repair", run.fence, why)

    (project / ".workflow-data").mkdir()
    look(project, create)
    look(project, park_all)
    few = resume(project, "--code", "decryption", "--workflow", "odd", "--dry-run")
    assert few.exit_code == 0, few.output
    assert few.stdout.split() == ["wrun_1", "wrun_3"]
    assert few.stderr == "2 runs would go on\n"
    done = resume(project, "--code", "decryption", "--workflow", "odd")
    assert done.stdout == few.stdout
    assert done.stderr == "2 runs go on with the next worker\n"
    again = resume(project, "--code", "decryption", "--workflow", "odd")
    assert (again.exit_code, again.output) == (0, "no such parked runs\n")
    named = resume(project, "wrun_0", "wrun_1", "wrun_0")
    assert (named.exit_code, named.stdout) == (1, "wrun_0\n")
    assert named.stderr.endswith("1 run goes on with the next worker; 1 was not parked\n")
    wrong = resume(project, "wrun_2", "wrun_none")
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert resume(project, "--code", "decryption").stdout.split() == ["wrun_2"]
    assert resume(project, "--all").stdout.split() == ["wrun_4", "wrun_5"]

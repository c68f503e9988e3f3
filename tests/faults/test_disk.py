"""The SQLite world on disks that are full, broken, read-only, or gone."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.refusals import can_mount, in_small_disk
from tests.faults.stage import ROOT, Stage, ended
from workflow.api import start
from workflow.engine import Application
from workflow.errors import WorldError
from workflow.world.records import NewRun, RunFilter
from workflow.worlds.local import create_local_world


def play(scenario: str, folder: Path, before: list[str] | None = None) -> dict[str, list[str]]:
    """Play a scenario of `storage.py` in a process of its own; what it acknowledged and heard."""
    done = subprocess.run(
        [*(before or []), sys.executable, "-m", "tests.faults.storage", scenario, str(folder)],
        capture_output=True, text=True, cwd=ROOT, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    outcome: dict[str, list[str]] = json.loads(done.stdout)
    return outcome


def runs_in(folder: Path) -> list[str]:
    """The runs that a process finds which comes later."""

    async def main() -> list[str]:
        world = create_local_world(folder)
        await world.open()
        try:
            found = await world.list_runs(RunFilter(), limit=999)
            return sorted(run.run_id for run in found.items)
        finally:
            await world.close()

    return asyncio.run(main())


@pytest.mark.fault("F32")
def test_files_that_cannot_grow(tmp_path: Path) -> None:
    """Calls fail by name, what was acknowledged can be read all the while and later, and when there
    is room again the same process goes on."""
    outcome = play("full", tmp_path / "data")
    assert len(outcome["acknowledged"]) > 25
    assert {e.partition("workflow.db ")[2] for e in outcome["errors"]} == {
        "could not be read or written; check the disk (disk I/O error)"
    }
    assert runs_in(tmp_path / "data") == outcome["acknowledged"]


@pytest.mark.fault("F32")
@pytest.mark.parametrize("size", ["2m", "3m"] if can_mount() else [])
def test_a_full_disk(size: str, tmp_path: Path) -> None:
    """The same on a file system that is really full, where the error says so."""
    outcome = play("small", tmp_path, in_small_disk(tmp_path, size))
    assert len(outcome["acknowledged"]) > 11
    assert all("the disk is full; free some space" in error for error in outcome["errors"])


@pytest.mark.fault("F34")
def test_a_disk_that_does_not_sync(tmp_path: Path) -> None:
    """When the kernel refuses to sync, nothing is acknowledged; what was acknowledged before is
    there afterwards."""
    outcome = play("unsynced", tmp_path / "data")
    assert outcome["acknowledged"] == ["r000", "r001", "r002"]
    assert all("check the disk" in error for error in outcome["errors"])
    assert set(outcome["acknowledged"]) <= set(runs_in(tmp_path / "data"))


@pytest.mark.fault("F36")
def test_a_folder_that_is_deleted_while_it_is_used(tmp_path: Path) -> None:
    """No run is acknowledged that would go with the process, and closing does not hang."""
    outcome = play("deleted", tmp_path / "data")
    assert outcome["acknowledged"] == ["r000", "r001"]
    assert all("was deleted or replaced" in error for error in outcome["errors"][:3])


@pytest.mark.fault("F36")
def test_a_file_that_is_replaced_while_it_is_used(tmp_path: Path) -> None:
    """A backup that is copied over a world in use is noticed, and writing ends with what to do."""
    outcome = play("replaced", tmp_path / "data")
    assert any("was deleted or replaced" in error for error in outcome["errors"])


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user of the machine can reach."""
    folder = Path(tempfile.mkdtemp(prefix="workflow-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.fault("F36")
@pytest.mark.parametrize("made", [False, True])
def test_a_folder_that_may_not_be_written(made: bool, open_folder: Path) -> None:
    """Opening it fails with its name and the reason, whether there is a world in it or not."""
    if made:
        assert runs_in(open_folder) == []
        for path in open_folder.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o444)
    open_folder.chmod(0o555)
    (error,) = play("read_only", open_folder)["errors"]
    assert str(open_folder) in error
    assert "Permission denied" in error or "check the permissions" in error


@pytest.mark.fault("F36")
def test_a_worker_without_a_folder_ends(tmp_path: Path) -> None:
    """`wfc worker` names the folder that cannot be made and ends with status 2."""
    (tmp_path / "file").write_text("in the way")
    with Stage(tmp_path, "local").clearing() as stage:
        done = subprocess.run(
            [*stage.command, "worker", "--root", str(tmp_path)],
            env={**stage.environment, "WORKFLOW_EMBEDDED_DATA_DIR": str(tmp_path / "file" / "d")},
            capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert "file/d" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.fault("F37")
def test_files_run_out(tmp_path: Path) -> None:
    """A world that is open goes on or fails by name, another one does not open and says why; with
    files to be had, everything works again."""
    outcome = play("many_files", tmp_path / "data")
    assert any("Too many open files" in error for error in outcome["errors"])
    assert runs_in(tmp_path / "data") == outcome["acknowledged"]


FEW_FILES = """
import asyncio, sys
from pathlib import Path
from tests.faults import refusals
from workflow.api import start
from workflow.connect import connect
from workflow.engine import Application, Project
from workflow.errors import WorldError

async def main():
    project = Project.load(Path("generated"))
    async with Application(connect(), project) as application:
        runs = [await start("chain", 3)]
        with refusals.few_files(0):
            for n in range(20):
                try:
                    runs.append(await start("chain", 3))
                    await asyncio.gather(*[application.world.load(r.run_id) for r in runs * 20])
                except WorldError:
                    pass
        runs.append(await start("chain", 3))
        for run in runs:
            assert await run.result(60) == 30, run
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


@pytest.mark.fault("F37")
@pytest.mark.parametrize("target", ["local", "postgres"])
def test_a_worker_whose_files_run_out(target: Any, tmp_path: Path) -> None:
    """What it could not do without files it does when there are some: every acknowledged run ends,
    and so does the next one that another process starts."""

    async def main(stage: Stage) -> None:
        async with stage.application() as application:
            worker = await asyncio.create_subprocess_exec(
                sys.executable, "-c", FEW_FILES, env=stage.environment, cwd=stage.folder,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            assert worker.stdout is not None
            if await worker.stdout.readline() == b"ready\n":
                run = await start("chain", 2)
                await ended(application.world, run.run_id)
            _, said = await worker.communicate(b"")
            assert worker.returncode == 0, said.decode()[-3000:]

    with Stage(tmp_path, target).clearing() as stage:
        asyncio.run(main(stage))


def _runs_or_error(folder: Path) -> tuple[list[str], str]:
    try:
        return runs_in(folder), ""
    except WorldError as error:
        return [], str(error)


@pytest.mark.fault("F33")
def test_one_flipped_bit_is_never_a_wrong_answer(tmp_path: Path) -> None:
    """A bit is flipped in each page of the file in turn: the world answers as before, answers
    without what was in that page, or says that the file is damaged; it does not make anything
    up."""
    data = tmp_path / "data"
    names = [f"r{n:02}" for n in range(30)]

    async def fill() -> None:
        world = create_local_world(data)
        await world.open()
        for name in names:
            await world.create(NewRun(run_id=name, workflow="f", input=b"x" * 3000, meta=b"{}"))
        await world.close()

    asyncio.run(fill())
    content = (data / "workflow.db").read_bytes()
    loud = 0
    for page in range(0, len(content), 4096):
        damaged = tmp_path / "damaged"
        damaged.mkdir()
        flipped = bytearray(content)
        flipped[page] ^= 0x40  # the first byte of a page says what it is
        (damaged / "workflow.db").write_bytes(flipped)
        found, error = _runs_or_error(damaged)
        assert set(found) <= set(names)
        assert error == "" or "is damaged" in error or "not a database of ours" in error
        loud += error != ""
        shutil.rmtree(damaged)
    assert loud > 5


@pytest.mark.fault("F35")
def test_two_applications_on_one_file(tmp_path: Path) -> None:
    """Two processes may work in one folder: a run is done once, whoever takes it."""

    async def main(stage: Stage) -> None:
        async with Application(stage.world(), stage.project) as application:
            for _ in range(2):
                stage.spawn()
            runs = [await start("mixed_without_hook", n) for n in range(4)]
            for run in runs:
                await ended(application.world, run.run_id)
        finished = [line for line in stage.bodies() if line[0] == "end"]
        assert len(finished) == len({(line[1], line[2]) for line in finished}) == 4 * 26

    with Stage(tmp_path, "local", lease=60).clearing() as stage:
        asyncio.run(main(stage))

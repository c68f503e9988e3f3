"""`wfc start`, `answer`, `cancel` and `health`, beside a worker: real processes, real SQLite."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_runs import command, environment, wfc
from tests.forks import Process
from tests.project import until
from workflow.worlds.local import create_local_world

FLOWS = '''
from workflow import pending_action, sleep


async def approve(amount: int) -> str:
    """Ask somebody."""
    "use workflow"
    answer = await pending_action("approval", message=f"Pay {amount}?", options=["yes", "no"])
    return f"{amount}: {answer}"


async def ask() -> object:
    """Ask for anything."""
    "use workflow"
    return await pending_action("what")


async def naps() -> None:
    """Sleep long."""
    "use workflow"
    await sleep("100 days")
'''


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A built project with a worker at work."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "flows.py").write_text(FLOWS)
    built = wfc(folder, "build")
    assert built.returncode == 0, built.stderr + built.stdout
    with Process(
        command("worker"), cwd=folder, env=environment(), stderr=subprocess.PIPE
    ) as worker:
        assert worker.stderr is not None
        line = worker.stderr.readline()
        assert f"working on 3 workflows in the local world in {folder}" in line, line
        yield folder
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=60)


def become(project: Path, run_id: str, status: str) -> None:
    """Wait until the run has this status."""

    async def main() -> None:
        world = create_local_world(project / ".workflow-data")
        await world.open()

        async def look() -> bool:
            run = await world.get_run(run_id)
            return run is not None and run.status == status

        try:
            await until(world, look, what=f"the status {status} of {run_id}")
        finally:
            await world.close()

    asyncio.run(main())


def begin(project: Path, *arguments: str) -> str:
    """Start a run by the command; its id."""
    done = wfc(project, "start", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_question_is_shown_and_answered(project: Path) -> None:
    """The run is listed as paused, shows what it asks and how to answer, and goes on."""
    run_id = begin(project, "approve", "--input", '{"amount": 5}')
    become(project, run_id, "paused")
    listed = wfc(project, "inspect", "runs", "--status", "paused")
    assert run_id in listed.stdout
    shown = wfc(project, "inspect", "run", run_id).stdout
    assert "asks approval: Pay 5? [yes | no] (until " in shown
    assert f"wfc answer {run_id} approval INPUT" in shown
    assert "asks approval\n" in shown
    assert "pending action" in wfc(project, "inspect", "hooks").stdout
    questions = wfc(project, "answer", run_id)
    assert questions.returncode == 0
    assert "yes, no" in questions.stdout
    assert "Pay 5?" in questions.stdout
    refused = wfc(project, "answer", run_id, "approval", "maybe")
    assert refused.returncode == 1
    assert "'yes', 'no'" in refused.stderr
    given = wfc(project, "answer", run_id, "approval", "yes")
    assert given.returncode == 0, given.stderr
    become(project, run_id, "completed")
    data = json.loads(wfc(project, "inspect", "run", run_id, "--json").stdout)
    assert data["output"] == "5: yes"
    assert wfc(project, "answer", run_id, "approval", "yes").returncode == 1
    assert wfc(project, "answer", run_id, "approval").returncode == 2
    assert wfc(project, "answer", "wrun_none", "approval", "yes").returncode == 2


def test_inputs_are_json_or_text(project: Path) -> None:
    """An object arrives as one; what is no JSON is text."""
    for text, value in (('{"a": [1]}', {"a": [1]}), ("just text", "just text")):
        run_id = begin(project, "ask")
        become(project, run_id, "paused")
        assert wfc(project, "answer", run_id, "what", text).returncode == 0
        become(project, run_id, "completed")
        data = json.loads(wfc(project, "inspect", "run", run_id, "--json").stdout)
        assert data["output"] == value


def test_runs_are_cancelled(project: Path) -> None:
    """By their ids, or all of a workflow and a status; the others go on."""
    one, two = begin(project, "naps"), begin(project, "naps")
    three = begin(project, "ask")
    later = begin(project, "naps", "--delay", "1 day")
    for run_id, status in ((one, "running"), (two, "running"), (three, "paused")):
        become(project, run_id, status)
    done = wfc(project, "cancel", one, "--reason", "not needed")
    assert (done.returncode, done.stdout.strip()) == (0, one)
    become(project, one, "cancelled")
    error = json.loads(wfc(project, "inspect", "run", one, "--json").stdout)["error"]
    assert "not needed" in error["message"]
    late = wfc(project, "cancel", one)
    assert late.returncode == 1
    assert "has ended" in late.stderr
    only = ["cancel", "--workflow", "naps", "--status", "running"]
    assert wfc(project, *only, "--dry-run").stdout.split() == [two]
    assert wfc(project, *only).stdout.split() == [two]
    become(project, two, "cancelled")
    assert wfc(project, *only).stdout == ""
    rest = wfc(project, "cancel", "--status", "pending", "--status", "paused")
    assert set(rest.stdout.split()) == {three, later}
    become(project, three, "cancelled")
    become(project, later, "cancelled")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["cancel"], "name runs, or say which"),
        (["cancel", "wrun_x", "--status", "running"], "name runs, or say which"),
        (["cancel", "wrun_none"], "wrun_none"),
        (["start", "nobody"], "workflow//flows.py//naps"),
        (["start", "naps", "--delay", "soon"], "'soon'"),
        (["start", "approve"], "amount"),
        (["start", "naps", "--delay", "2h", "--deadline", "1h"], "over before the run begins"),
    ],
)
def test_wrong_usage(project: Path, arguments: list[str], expected: str) -> None:
    """Exit status 2, and a message that says what would be right."""
    done = wfc(project, *arguments)
    assert done.returncode == 2, done.stderr
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


def test_a_key_starts_one_run(project: Path) -> None:
    """The second start with the key prints the id of the first run."""
    run_id = begin(project, "naps", "--key", "k")
    assert begin(project, "naps", "--key", "k") == run_id
    assert wfc(project, "cancel", run_id).returncode == 0  # for the tests that count what is open
    become(project, run_id, "cancelled")


def test_health(project: Path) -> None:
    """The world answers and one worker is alive; two are not, and no world is no health."""
    done = wfc(project, "health", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0
    assert (found["world"], found["workers"], found["parked"]) == ("local", 1, 0)
    assert found["healthy"] is True
    few = wfc(project, "health", "--workers", "2")
    assert few.returncode == 1
    assert "1 alive" in few.stdout
    assert "2 workers are wanted" in few.stderr
    assert wfc(project, "health", "--root", str(project / "generated")).returncode == 2

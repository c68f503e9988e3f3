"""The commands that work on runs, as a user types them: real processes, real SQLite."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.forks import WFC, Process, run

FLOWS = '''
from collections.abc import AsyncIterator

from workflow import WorkflowError, create_hook, sleep
from workflow.api import start


async def greet(name: str) -> str:
    """Say hello."""
    "use step"
    print("greeting", name)
    return f"hello {name}"


async def welcome(name: str) -> dict:
    """Greet somebody."""
    "use workflow"
    print("welcoming")
    text = await greet(name)
    await sleep("20ms")
    return {"text": text}


async def fails() -> None:
    """Never works."""
    "use workflow"
    raise ValueError("it never works")


async def family(name: str) -> dict:
    """Starts the others."""
    "use workflow"
    run = await start("workflow//flows.py//welcome", name)
    broken = await start(fails)
    try:
        await broken
    except WorkflowError:
        return await run


async def numbers(most: int) -> AsyncIterator[int]:
    for n in range(most):
        yield n
    if most > 5:
        raise ValueError("too many")


async def count(most: int) -> AsyncIterator[int]:
    """Give a stream."""
    "use step"
    return numbers(most)


async def counts(most: int) -> AsyncIterator[int]:
    """Its result is a stream."""
    "use workflow"
    return await count(most)


async def waits() -> None:
    """Waits for somebody."""
    "use workflow"
    await create_hook(token="somebody")
'''
TWIN = '''
async def welcome(name: str) -> str:
    """Another workflow of the same name."""
    "use workflow"
    return name
'''


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built project with two files, in which a run was started before."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "flows.py").write_text(FLOWS)
    (folder / "twin.py").write_text(TWIN)
    built = wfc(folder, "build")
    assert built.returncode == 0, built.stderr + built.stdout
    first = wfc(folder, "run", "workflow//flows.py//welcome", "--input", '{"name": "Ada"}')
    assert first.returncode == 0, first.stderr
    return folder


def command(*arguments: str) -> list[str]:
    return [str(WFC), *arguments]


def environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("WORKFLOW_")}
    return kept | {"NO_COLOR": "1"}


def wfc(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(command(*arguments), cwd=folder, env=environment())


def test_run_prints_the_result_alone_on_stdout(project: Path) -> None:
    """Events and prints go to stderr; a full id is accepted where the name is ambiguous."""
    done = wfc(project, "run", "workflow//flows.py//welcome", "--input", '{"name": "Ada"}')
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"text": "hello Ada"}
    for expected in ("run_created", "step_completed", "greet", "welcoming", "greeting Ada"):
        assert expected in done.stderr


def test_a_stream_is_printed_when_it_is_written(project: Path) -> None:
    """An array of its values; one that breaks off is an error, although the run has completed."""
    done = wfc(project, "run", "counts", "--input", '{"most": 3}')
    assert (done.returncode, json.loads(done.stdout)) == (0, [0, 1, 2])
    done = wfc(project, "run", "counts", "--input", '{"most": 6}')
    assert (done.returncode, done.stdout) == (1, "")
    assert "broke off after 6 values: ValueError: too many" in done.stderr


def test_a_failed_run_shows_the_users_line(project: Path) -> None:
    """Exit status 1, and a traceback that ends in the user's own source text."""
    done = wfc(project, "run", "fails")
    assert done.returncode == 1
    assert done.stdout == ""
    assert 'raise ValueError("it never works")' in done.stderr
    assert "flows.py" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run", "welcome", "--input", '{"name": "Ada"}'], "workflow//twin.py//welcome"),
        (["run", "nobody"], "workflow//flows.py//fails"),
        (["run", "fails", "--input", "[1]"], "JSON object"),
        (["run", "fails", "--input", "{"], "not JSON"),
        (["run", "fails", "--input", '{"extra": 1}'], "extra"),
        (["run", "fails", "--world", "nowhere"], "nowhere"),
        (["inspect", "run", "wrun_none"], "wrun_none"),
        (["resume", "wrun_none"], "wrun_none"),
    ],
)
def test_wrong_usage(project: Path, arguments: list[str], expected: str) -> None:
    """Exit status 2, and a message that says what would be right."""
    done = wfc(project, *arguments)
    assert done.returncode == 2, done.stderr
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_build(tmp_path: Path) -> None:
    """The message names the command that is missing."""
    done = wfc(tmp_path, "run", "anything")
    assert done.returncode == 2
    assert "wfc build" in done.stderr


def test_an_interrupted_run_stays_and_can_be_inspected(project: Path) -> None:
    """Ctrl-C exits with 130; the run is listed, says what it waits for, and its hook is open."""
    with Process(
        command("run", "waits"), cwd=project, env=environment(), stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        run_id = process.stderr.readline().strip()
        for line in process.stderr:
            if "hook_created" in line:
                break
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(timeout=60) == 130, rest
    listed = wfc(project, "inspect", "runs", "--status", "running")
    assert run_id in listed.stdout
    shown = wfc(project, "inspect", "run", run_id)
    assert "waits for the hook somebody" in shown.stdout
    data = json.loads(wfc(project, "inspect", "run", run_id, "--json").stdout)
    assert [event["type"] for event in data["events"]] == [
        "run_created",
        "hook_requested",
        "hook_created",
    ]
    assert "somebody" in wfc(project, "inspect", "hooks").stdout
    resumed = wfc(project, "resume", run_id)
    assert resumed.returncode == 1
    assert "not parked" in resumed.stderr


def test_inspect_run_shows_parents_and_children(project: Path) -> None:
    """The events of a parent name its children and how they ended; a child names its parent."""
    done = wfc(project, "run", "family", "--input", '{"name": "Eve"}')
    assert json.loads(done.stdout) == {"text": "hello Eve"}, done.stderr
    parent = done.stderr.splitlines()[0]
    data = json.loads(wfc(project, "inspect", "run", parent, "--json").stdout)
    assert data["parent_run"] is None
    children = [e["ref"] for e in data["events"] if e["type"] == "child_created"]
    ended = {e["ref"]: e for e in data["events"] if e["type"] == "child_ended"}
    assert [ended[ref]["meta"]["status"] for ref in children] == ["completed", "failed"]
    assert ended[children[1]]["payload"]["message"] == "it never works"
    shown = wfc(project, "inspect", "run", parent).stdout
    assert f"{children[1]}  failed" in shown
    child = wfc(project, "inspect", "run", children[0]).stdout
    assert f"parent        {parent}" in child


def test_inspect_run_shows_steps_with_attempts(project: Path) -> None:
    """A finished run shows its result, its steps and its events."""
    done = wfc(project, "run", "workflow//flows.py//welcome", "--input", '{"name": "Bob"}')
    run_id = done.stderr.splitlines()[0]
    shown = wfc(project, "inspect", "run", run_id).stdout
    assert '{"text": "hello Bob"}' in shown
    row = next(line for line in shown.splitlines() if line.startswith("greet"))
    assert row.split()[1:3] == ["completed", "1"]
    data = json.loads(wfc(project, "inspect", "run", run_id, "--json").stdout)
    assert data["input"] == {"name": "Bob"}
    assert data["steps"][0]["status"] == "completed"
    assert data["error"] is None


def test_a_worker_finishes_what_another_process_started(project: Path) -> None:
    """`start` in a process without a worker; `wfc worker` does the work and stops on SIGTERM."""
    script = textwrap.dedent("""
        import asyncio, sys
        from workflow.api import get_run, start

        async def main():
            run = await start("workflow//twin.py//welcome", name="Eve")
            print(run.run_id, flush=True)
            print(await run.result(60), flush=True)

        asyncio.run(main())
    """)
    worker = Process(command("worker"), cwd=project, env=environment(), stderr=subprocess.PIPE)
    try:
        started = run([sys.executable, "-c", script], cwd=project, env=environment())
        assert started.stdout.splitlines()[1:] == ["Eve"], started.stderr
    finally:
        worker.send_signal(signal.SIGTERM)
        _, errors = worker.communicate(timeout=60)
    assert worker.returncode == 0, errors

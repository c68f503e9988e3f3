"""README.md: the quick start, followed to the letter by somebody who copies and pastes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.examples.building import SERVED

README = Path(__file__).parents[2] / "README.md"
# What stands in for a browser, in a process of its own.
VISIT = (
    SERVED
    + """
import httpx
from main import app
from workflow.api import get_run


async def main():
    async with served(app):
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")
        answer = await client.post("/signup/a@b.c")
        run_id = answer.json()["run_id"]
        result = await get_run(run_id).result(60)
        print(json.dumps({"status": answer.status_code, "run_id": run_id, "result": result}))


asyncio.run(main())
"""
)


def quick_start() -> tuple[dict[str, str], list[str]]:
    """The Python files by name, and the shell commands, in the order of the page."""
    text = README.read_text("utf-8").partition("## Quick start")[2].partition("\n## ")[0]
    files: dict[str, str] = {}
    commands: list[str] = []
    before = 0
    for block in re.finditer(r"```(python)?\n(.*?)```", text, re.S):
        if block[1]:
            (name,) = re.findall(r"`(\w+\.py)`", text[before : block.start()])
            files[name] = block[2]
        else:
            commands += block[2].strip().splitlines()
        before = block.end()
    return files, commands


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new folder with the files of the page, built by the command of the page."""
    folder = tmp_path_factory.mktemp("quick_start")
    files, commands = quick_start()
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    assert commands[0] == "wfc build"
    assert "built 1 workflow, 1 step" in run(folder, commands[0]).stdout
    return folder


def run(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run a command line of the page in `folder`, with the environment's own `wfc`."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": ""}
    done = subprocess.run(
        command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_the_page_has_what_these_tests_follow() -> None:
    """Two files and the commands, so that a page that loses one does not pass."""
    files, commands = quick_start()
    assert sorted(files) == ["flows.py", "main.py"]
    assert [command.split()[0] for command in commands] == [
        "wfc", "wfc", "uvicorn", "curl", "wfc", "wfc",
    ]  # fmt: skip


def test_wfc_run_prints_events_and_the_result(folder: Path) -> None:
    """Step 3: the result on stdout, the events on stderr, without any application."""
    done = run(folder, quick_start()[1][1])
    assert json.loads(done.stdout) == {"email": "a@b.c", "mail": "sent to a@b.c"}
    for event in ("step_completed", "wait_completed", "run_completed"):
        assert event in done.stderr


def test_the_application_starts_runs_and_wfc_shows_them(folder: Path) -> None:
    """Steps 4 and 5: a POST starts a run, which ends, and both inspect commands show it."""
    (folder / "visit.py").write_text(VISIT, "utf-8")
    seen: dict[str, Any] = json.loads(run(folder, "python visit.py").stdout)
    assert seen["status"] == 200
    assert seen["result"] == {"email": "a@b.c", "mail": "sent to a@b.c"}
    listed, shown = quick_start()[1][-2:]
    assert seen["run_id"] in run(folder, listed).stdout
    shown = re.sub(r"wrun_\S+", seen["run_id"], shown)
    assert "send_welcome" in run(folder, shown).stdout

"""What keeps a command from working, though it was called rightly: said in one message, without a
traceback through our files and without the usage."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_runs import command, environment, wfc
from tests.forks import run

FLOWS = """
from helpers import double


async def twice(n: int) -> int:
    "use workflow"
    return await double(n)
"""
HELPERS = """
async def double(n: int) -> int:
    "use step"
    return 2 * n
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built project in which one run has completed."""
    folder = tmp_path_factory.mktemp("refused")
    (folder / "flows.py").write_text(FLOWS)
    (folder / "helpers.py").write_text(HELPERS)
    for arguments in (["build"], ["run", "twice", "--input", '{"n": 1}']):
        done = wfc(folder, *arguments)
        assert done.returncode == 0, done.stderr + done.stdout
    return folder


def with_setting(folder: Path, name: str, value: str, *arguments: str) -> str:
    """What a refused command writes to stderr when a variable is set."""
    done = run(command(*arguments), cwd=folder, env=environment() | {name: value})
    assert done.returncode == 2, done.stderr
    assert "Usage" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("arguments", [["worker"], ["run", "twice"], ["check", "--against-runs"]])
def test_a_module_that_raises_when_it_is_imported(arguments: list[str], tmp_path: Path) -> None:
    """The traceback begins with the user's own file."""
    (tmp_path / "flows.py").write_text(FLOWS)
    (tmp_path / "helpers.py").write_text("TABLE = {}[1]\n" + HELPERS)
    assert wfc(tmp_path, "build").returncode == 0
    done = wfc(tmp_path, *arguments)
    assert done.returncode == 2
    first, _, file, line, *_, last = done.stderr.splitlines()
    assert first == "Error: a module of the project cannot be imported:"
    assert "flows.py" in file or "helpers.py" in file
    assert "import" in line or "TABLE" in line
    assert last == "KeyError: 1"


@pytest.mark.parametrize("run_command", ["inspect run", "resume", "cancel", "answer"])
def test_an_unknown_run_says_where_was_looked(run_command: str, project: Path) -> None:
    """The folder of the world is named: often it is the wrong one."""
    done = wfc(project, *run_command.split(), "wrun_none")
    assert done.returncode == 2
    assert "no run 'wrun_none' in the local world in" in done.stderr
    assert ".workflow-data" in done.stderr
    assert "Usage" not in done.stderr


@pytest.mark.parametrize("arguments", [["worker"], ["run", "twice"], ["inspect", "runs"]])
def test_a_key_that_is_none(arguments: list[str], project: Path) -> None:
    """No traceback, and how to make one."""
    said = with_setting(project, "WORKFLOW_ENCRYPTION_KEYS", "abc", *arguments)
    assert said.startswith("Error: key 1 in WORKFLOW_ENCRYPTION_KEYS is not 32 bytes in base64")


def test_backup_of_another_world(project: Path) -> None:
    """A copy of the local world is no backup where runs live elsewhere, so none is made."""
    said = with_setting(project, "WORKFLOW_TARGET_WORLD", "postgres", "backup", "copy.db")
    assert "pg_dump" in said
    assert not (project / "copy.db").exists()
    with_local = environment() | {
        "WORKFLOW_TARGET_WORLD": "local",
        "WORKFLOW_ENCRYPTION_KEYS": "a copy needs no key",
    }
    done = run(command("backup", "copy.db"), cwd=project, env=with_local)
    assert done.returncode == 0
    assert (project / "copy.db").exists()

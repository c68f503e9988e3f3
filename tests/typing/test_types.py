"""Type checkers agree with the files of this folder, and expected errors are really there.

The files are never run. Each line that must be an error carries the comment that expects it, for
mypy and for pyright; a comment that nothing needs is an error itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent
# A right line that claims to be wrong, and a wrong line that claims nothing.
PROBE = """\
from workflow.api import start


async def order(customer: str) -> str:
    return customer


async def outside() -> None:
    await start(order, "ada")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    await start(order, 5)
"""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that is not what it claims, checked together with those that are."""
    file = tmp_path_factory.mktemp("probe") / "probe.py"
    file.write_text(PROBE)
    return file


@pytest.fixture(scope="module")
def mypy(probe: Path) -> list[str]:
    """The errors of mypy --strict."""
    # As pyright: for the oldest Python of the project, whichever runs the tests.
    done = run("mypy", "--python-version", "3.11", str(FOLDER), str(probe))
    lines = done.stdout.splitlines()
    assert lines[-1].endswith(f"(checked {len(list(FOLDER.glob('*.py'))) + 1} source files)")
    return [line for line in lines if ": error: " in line]


@pytest.fixture(scope="module")
def pyright(probe: Path) -> list[tuple[str, int, str]]:
    """The errors of pyright with the settings of the project: file, line, rule."""
    folder, included = probe.parent, (FOLDER, probe)
    settings: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    config = settings["tool"]["pyright"] | {
        "include": [os.path.relpath(path, folder) for path in included],
        "extraPaths": [str(ROOT / "runtime"), str(ROOT)],
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(config))
    given = ("--project", str(folder), "--pythonpath", sys.executable, "--outputjson")
    done = run("pyright", *given)
    found = json.loads(done.stdout)
    files = len(list(FOLDER.glob("*.py"))) + 1
    assert found["summary"]["filesAnalyzed"] == files, done.stdout + done.stderr
    return [
        (Path(one["file"]).name, one["range"]["start"]["line"] + 1, one.get("rule", ""))
        for one in found["generalDiagnostics"]
    ]


def test_mypy_agrees(mypy: list[str]) -> None:
    """mypy --strict infers every result and refuses every wrong argument."""
    assert [line for line in mypy if "probe.py" not in line] == []


def test_pyright_agrees(pyright: list[tuple[str, int, str]]) -> None:
    """So does pyright in its strict mode, by comments of its own."""
    assert [found for found in pyright if found[0] != "probe.py"] == []


def test_the_checks_are_on(mypy: list[str], pyright: list[tuple[str, int, str]]) -> None:
    """Both checkers report an error that nothing expects, and an expectation without an error."""
    lines = [line for line in mypy if "probe.py" in line]
    assert [line for line in lines if ":9: error: Unused" in line and "[unused-ignore]" in line]
    assert [line for line in lines if ":10: error: " in line and "[call-overload]" in line]
    assert ("probe.py", 9, "reportUnnecessaryTypeIgnoreComment") in pyright
    assert {rule for file, line, rule in pyright if (file, line) == ("probe.py", 10)} & {
        "reportCallIssue",
        "reportArgumentType",
    }


def test_the_files_say_what_is_expected() -> None:
    """Each file of the folder has results that are inferred; there are many expected errors."""
    texts = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.py")}
    del texts[Path(__file__).name]
    assert all("assert_type(" in text for text in texts.values()), list(texts)
    expected = [line for text in texts.values() for line in text.splitlines() if "ignore[" in line]
    assert len(expected) > 40
    assert all("# type: ignore[" in line and "# pyright: ignore[" in line for line in expected)

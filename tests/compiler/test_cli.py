"""The compiler's commands: output and exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.compiler.projects import write_project
from wfc.cli import COMMANDS, main

GOOD = """\
async def greet(name: str) -> str:
    "use step"
    return f"Hello {name}"


async def main(name: str) -> str:
    "use workflow"
    return await greet(name)
"""
BAD = 'async def main() -> None:\n    "use workflows"\n'


def wfc(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_build_says_what_it_built(tmp_path: Path) -> None:
    """A build names each workflow and ends with the counts, and exits with 0."""
    result = wfc("build", "--root", write_project(tmp_path, GOOD))
    assert result.exit_code == 0
    *lines, last = result.output.splitlines()
    assert lines == ["  main  1 step  flows.py:6"]
    assert last.startswith("built 1 workflow, 1 step -> generated/ (bundle ")


def test_check_fails_when_stale_and_names_the_files(tmp_path: Path) -> None:
    """`--check` writes nothing, exits with 1 while files are stale and with 0 once they are not."""
    root = write_project(tmp_path, GOOD)
    assert wfc("build", "--check", "--root", root).exit_code == 1
    assert not (root / "generated").exists()
    wfc("build", "--root", root)
    assert wfc("build", "--check", "--root", root).exit_code == 0
    (root / "flows.py").write_text(GOOD.replace("Hello", "Hi").replace("main", "start"))
    result = wfc("build", "--check", "--root", root)
    assert result.exit_code == 1
    assert "generated/workflows/flows.py" in result.output


def test_findings_exit_with_1_and_write_nothing(tmp_path: Path) -> None:
    """An error prints the finding and a count, and no file is written."""
    result = wfc("build", "--root", write_project(tmp_path, BAD))
    assert result.exit_code == 1
    assert "flows.py:2:5  directive-misspelt" in result.output
    assert result.output.endswith("1 error\n")
    assert not (tmp_path / "generated").exists()


def test_json_and_github_formats(tmp_path: Path) -> None:
    """The same finding for programs: as JSON, and as a command of GitHub Actions."""
    root = write_project(tmp_path, BAD)
    (found,) = json.loads(wfc("build", "--root", root, "--output-format", "json").output)
    assert (found["code"], found["path"], found["span"]["line"]) == ("WF002", "flows.py", 2)
    line = wfc("build", "--root", root, "--output-format", "github").output
    assert line.startswith("::error file=flows.py,line=2,col=5,endLine=2,endColumn=19,title=WF002")


def test_project_without_workflows_says_what_to_write(tmp_path: Path) -> None:
    """Where nothing is marked the message shows the two directives."""
    result = wfc("build", "--root", write_project(tmp_path, "x = 1\n"))
    assert result.exit_code == 1
    assert '"use workflow"' in result.output


def test_missing_folder_is_wrong_use(tmp_path: Path) -> None:
    """A root that does not exist exits with 2."""
    assert wfc("build", "--root", tmp_path / "no").exit_code == 2


@pytest.mark.parametrize("mode", ["workflow", "step", "client"])
def test_transform_prints_one_mode(mode: str, tmp_path: Path) -> None:
    """`wfc transform` prints the text of a mode and writes nothing."""
    root = write_project(tmp_path, GOOD)
    result = wfc("transform", root / "flows.py", "--root", root, "--mode", mode)
    expected = {
        "workflow": 'return await _wfc_step("step//flows.py//greet", {"name": name})',
        "step": 'registry.step("step//flows.py//greet", flows.greet)',
        "client": 'main.workflow_id = "workflow//flows.py//main"',
    }
    assert result.exit_code == 0
    assert expected[mode] in result.output
    assert not (root / "generated").exists()


def test_explain_prints_the_page_with_examples() -> None:
    """`wfc explain` finds a rule by code in any case, and by name."""
    page = wfc("explain", "wf701").output
    assert page.startswith("WF701  banned-import (error)")
    assert "    import requests" in page
    assert wfc("explain", "banned-import").output == page
    assert wfc("explain", "WF000").exit_code == 2


def test_help_imports_no_command() -> None:
    """`wfc --help` lists every command and stays light."""
    assert all(name in wfc("--help").output for name in COMMANDS)
    heavy = "{'libcst', 'pydantic', 'starlette', 'httpx', 'RestrictedPython', 'rich'}"
    code = (
        "import sys\nfrom wfc.cli import main\nmain(['--help'], standalone_mode=False)\n"
        f"assert not {heavy} & set(sys.modules)\n"
        "assert not [m for m in sys.modules if m.startswith('wfc.cli.')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)

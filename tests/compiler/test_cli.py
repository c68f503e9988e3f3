"""The compiler's commands: output and exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.compiler.projects import write_project
from wfc.analyse.checks import rules
from wfc.cli import COMMANDS, main
from wfc.runtime_errors import troubles

GOOD = """\
async def greet(name: str) -> str:
    "use step"
    return f"Hello {name}"


async def main(name: str) -> str:
    "use workflow"
    return await greet(name)
"""
BAD = 'async def main() -> None:\n    "use workflows"\n'


FETCHES = """\
from workflow import fetch


async def once() -> int:
    "use workflow"
    return (await fetch("https://a.example")).status


async def twice() -> int:
    "use workflow"
    await fetch("https://a.example")
    return (await fetch("https://b.example")).status
"""


def wfc(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_build_says_what_it_built(tmp_path: Path) -> None:
    """A build names each workflow and ends with the counts, and exits with 0."""
    result = wfc("build", "--root", write_project(tmp_path, GOOD))
    assert result.exit_code == 0
    *lines, last = result.output.splitlines()
    assert lines == ["  main  1 step  flows.py:6"]
    assert last.startswith("built 1 workflow, 1 step -> generated/ (bundle ")


def test_fetch_is_counted_beside_the_steps(tmp_path: Path) -> None:
    """A workflow that only fetches does not look as if it did nothing."""
    text = GOOD + "\n\n" + FETCHES
    result = wfc("build", "--root", write_project(tmp_path, text))
    assert result.output.splitlines()[:-1] == [
        "  main   1 step  flows.py:6",
        "  once   0 steps, 1 fetch  flows.py:14",
        "  twice  0 steps, 2 fetches  flows.py:19",
    ]


def test_a_project_of_steps_alone_is_built(tmp_path: Path) -> None:
    """Steps without a workflow are something to build; a project without either is not."""
    steps = GOOD.partition("async def main")[0]
    result = wfc("build", "--root", write_project(tmp_path / "a", steps))
    assert result.exit_code == 0
    assert "built 0 workflows, 1 step" in result.output
    assert wfc("build", "--root", write_project(tmp_path / "b", "x = 1\n")).exit_code == 1


def test_the_cache_stays_out_of_version_control(tmp_path: Path) -> None:
    """The cache's folder ignores itself, so that `git status` does not show it."""
    wfc("build", "--root", write_project(tmp_path, GOOD))
    assert (tmp_path / ".workflow-cache" / ".gitignore").read_text() == "*\n"


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
    assert "\n1 error\n" in result.output
    assert not (tmp_path / "generated").exists()


def test_json_has_the_documented_shape(tmp_path: Path) -> None:
    """The object has every key of docs/findings.md, with places, notes and edits."""
    files = {
        "flows.py": """\
import os


async def main() -> str:
    "use workflow"
    return os.environ["A"]  # wfc: ignore[WF301] opens nothing
""",
    }
    result = wfc("build", "--root", write_project(tmp_path, files), "--output-format", "json")
    document = json.loads(result.stdout)
    assert document.keys() == {"version", "error", "counts", "findings", "stale"}
    assert (document["version"], document["error"], document["stale"]) == (1, None, [])
    assert document["counts"] == {"error": 1, "warning": 1, "info": 0}
    banned, unused = document["findings"]
    assert banned.keys() == unused.keys() == {
        "code", "name", "severity", "path", "span", "source_line", "message", "fix", "notes",
        "edits",
    }  # fmt: skip
    assert banned["span"] == {"line": 6, "column": 12, "end_line": 6, "end_column": 22}
    assert banned["notes"] == [
        {
            "path": "flows.py",
            "line": 1,
            "span": {"line": 1, "column": 1, "end_line": 1, "end_column": 10},
            "text": "imported here",
        }
    ]
    assert [edit.keys() for edit in unused["edits"]] == [{"span", "text"}]
    assert "1 error, 1 warning" in result.stderr


def test_github_format_is_one_command_a_finding(tmp_path: Path) -> None:
    """Place, level and text are those that GitHub Actions shows beside the line."""
    root = write_project(tmp_path, BAD)
    result = wfc("build", "--root", root, "--output-format", "github")
    start = "::error file=flows.py,line=2,col=5,endLine=2,endColumn=19,title=WF002"
    assert result.stdout.startswith(start)
    assert result.stdout.count("\n") == 1


def test_concise_and_github_paths_lead_from_here(tmp_path: Path) -> None:
    """Where the project is a folder of the working directory, paths begin with that folder."""
    write_project(tmp_path / "app", BAD)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        line = wfc("build", "--root", "app", "--output-format", "concise").stdout
        assert line.startswith("app/flows.py:2:5: WF002 directive-misspelt ")
        assert line.count("\n") == 1
        command = wfc("build", "--root", "app", "--output-format", "github").stdout
        assert command.startswith("::error file=app/flows.py,")


def test_text_is_full(tmp_path: Path) -> None:
    """The older name of the format gives the same."""
    root = write_project(tmp_path, BAD)
    full = wfc("build", "--root", root).output
    assert wfc("build", "--root", root, "--output-format", "text").output == full


@pytest.mark.parametrize("form", ["json", "sarif", "github"])
@pytest.mark.parametrize(
    ("files", "status", "said"),
    [
        ({"pyproject.toml": "[tool.workflow]\ndir = []\n"}, 2, "did you mean 'dirs'?"),
        ({"flows.py": "x = 1\n"}, 1, "No workflows found in "),
    ],
)
def test_stdout_is_the_format_also_when_there_is_nothing_to_build(
    form: str, files: dict[str, str], status: int, said: str, tmp_path: Path
) -> None:
    """Programs can read stdout when a setting is wrong or nothing is marked; people read stderr."""
    root = write_project(tmp_path, files)
    result = wfc("build", "--root", root, "--output-format", form)
    assert result.exit_code == status
    assert said in result.stderr
    if form == "github":
        assert result.stdout.startswith("::error title=wfc build::")
    else:
        json.loads(result.stdout)
    assert said in result.stdout


def test_stale_files_are_in_the_formats_for_programs(tmp_path: Path) -> None:
    """With `--check` the JSON object lists stale files; without it nothing is stale."""
    root = write_project(tmp_path, GOOD)
    result = wfc("build", "--check", "--root", root, "--output-format", "json")
    assert result.exit_code == 1
    assert "generated/manifest.json" in json.loads(result.stdout)["stale"]
    built = wfc("build", "--root", root, "--output-format", "json")
    assert (built.exit_code, json.loads(built.stdout)["stale"]) == (0, [])


def test_warnings_fail_with_strict_only(tmp_path: Path) -> None:
    """A warning leaves the exit status at 0; with `--strict` it is 1, and the files are there."""
    text = GOOD.replace('"use step"', '"Use step."')
    root = write_project(tmp_path, text)
    assert wfc("build", "--root", root).exit_code == 0
    assert wfc("build", "--check", "--root", root).exit_code == 0
    assert wfc("build", "--check", "--strict", "--root", root).exit_code == 1
    result = wfc("build", "--strict", "--root", root)
    assert result.exit_code == 1
    assert "1 warning" in result.output
    (root / "flows.py").write_text(GOOD, "utf-8")
    assert wfc("build", "--strict", "--root", root).exit_code == 0


@pytest.mark.parametrize(
    ("choice", "environment", "colored"),
    [
        ("always", {}, True),
        ("always", {"NO_COLOR": "1"}, True),
        ("never", {}, False),
        ("auto", {}, False),
    ],
)
def test_color_follows_the_option(
    choice: str, environment: dict[str, str], colored: bool, tmp_path: Path
) -> None:
    """`--color` is stronger than the environment, and without a terminal there is no colour."""
    arguments = ["build", "--root", str(write_project(tmp_path, BAD)), "--color", choice]
    result = CliRunner().invoke(main, arguments, env=environment)
    assert ("\x1b[1;31m" in result.stdout) == colored


@pytest.mark.parametrize(
    ("environment", "colored"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_terminal_gets_color_unless_the_environment_says_no(
    environment: dict[str, str], colored: bool, tmp_path: Path
) -> None:
    """On a terminal there is colour, but not with NO_COLOR or a terminal that has none."""
    root = write_project(tmp_path, BAD)
    out, terminal = os.openpty()
    command = [sys.executable, "-c", "from wfc.cli import main; main()", "build"]
    variables = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    variables |= {"TERM": "xterm", **environment}
    with open(out, "rb", buffering=0) as reader:
        done = subprocess.run(
            [*command, "--root", root], stdout=terminal, env=variables, check=False
        )
        os.close(terminal)
        shown = reader.read(1 << 16)
    assert done.returncode == 1
    assert (b"\x1b[" in shown) == colored


def test_output_in_a_poor_encoding_is_escaped(tmp_path: Path) -> None:
    """Where stdout cannot encode a character it is printed as an escape, and nothing fails."""
    text = 'async def main() -> None:\n    "use workflow"\n    print("日本", open("x"))\n'
    command = [sys.executable, "-c", "from wfc.cli import main; main()", "build", "--root"]
    done = subprocess.run(
        [*command, write_project(tmp_path, text)],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        check=False,
    )
    assert done.returncode == 1
    assert b'print("\\u65e5\\u672c", open("x"))' in done.stdout
    assert done.stderr == b""


def test_hint_counts_what_can_be_mended(tmp_path: Path) -> None:
    """After the count people are told of `--fix`, where it would do something."""
    text = 'async def main() -> None:\n    "use workflow"\n    {}\n'
    hints = {
        "return  # wfc: ignore[WF301] no": "`wfc build --fix` mends it;",
        "id(open('x'))  # wfc: ignore[WF302] no": "`wfc build --fix` mends 1 of them;",
        "open('x')": "",
    }
    for number, (line, hint) in enumerate(hints.items()):
        root = write_project(tmp_path / str(number), text.format(line))
        shown = wfc("build", "--root", root).stdout
        assert hint in shown
        assert ("--fix" in shown) == bool(hint)


def test_misspelt_commands_and_codes_have_a_suggestion() -> None:
    """An unknown command, option or code names the one that was probably meant."""
    assert "did you mean build?" in wfc("biuld").stderr
    assert "check, explain, " in wfc("nonsense").stderr
    assert "'--check'" in wfc("build", "--chekc").stderr
    assert "did you mean banned-import?" in wfc("explain", "baned-import").stderr
    assert "did you mean WF701?" in wfc("explain", "WF701x").stderr
    assert all(wfc(*words).exit_code == 2 for words in (["biuld"], ["explain", "nonsense"]))


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
        "client": '@_wfc.workflow("workflow//flows.py//main")',
    }
    assert result.exit_code == 0
    assert expected[mode] in result.output
    assert not (root / "generated").exists()


def test_explain_prints_the_page_with_examples() -> None:
    """`wfc explain` finds a rule by code in any case, without its letters, and by name."""
    page = wfc("explain", "wf702").output
    assert page.startswith("WF702  unknown-import (error)")
    assert "    import phonenumbers" in page
    assert wfc("explain", "unknown-import").output == page
    assert wfc("explain", "Unknown import").output == page
    assert wfc("explain", "702").output == page
    assert wfc("explain", "WF000").exit_code == 2


def test_explain_prints_markdown_and_lists_all() -> None:
    """`--format markdown` has the examples as code; without a code there is a line for each."""
    page = wfc("explain", "WF702", "--format", "markdown").output
    assert page.startswith("# WF702: unknown-import\n")
    assert page.count("```python\n") == 2
    lines = wfc("explain").output.splitlines()
    assert [line.split()[0] for line in lines] == [*rules(), *troubles()]
    assert wfc("explain", "--write", "x", "WF702").exit_code == 2


def test_help_imports_no_command() -> None:
    """`wfc --help` lists every command and stays light."""
    assert all(name in wfc("--help").output for name in COMMANDS)
    heavy = "{'libcst', 'pydantic', 'starlette', 'httpx', 'RestrictedPython'}"
    code = (
        "import sys\nfrom wfc.cli import main\nmain(['--help'], standalone_mode=False)\n"
        f"assert not {heavy} & set(sys.modules)\n"
        "assert not [m for m in sys.modules if m.startswith('wfc.cli.')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)

"""Settings and files that keep a project from being built: each is named, and nothing crashes."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import wfc
from tests.compiler.projects import write_project
from wfc.cli import main
from wfc.discover import enclosing

FLOW = 'async def main() -> None:\n    "use workflow"\n'


def built(root: Path) -> list[str]:
    return sorted(wfc.build(root, write=False, cache=False).manifest["workflows"])


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ('dir = ["a"]', "no setting 'dir'; did you mean 'dirs'\\?"),
        ('pass-through = ["a"]', "did you mean 'passthrough'\\?"),
        ("colour = 1", "no setting 'colour'; there are dirs, generated"),
        ("colour = 1\ndir = []", "(?s)no setting 'colour'.*no setting 'dir'; did you mean 'dirs'"),
    ],
)
def test_unknown_settings_are_guessed(setting: str, message: str, tmp_path: Path) -> None:
    """A misspelt setting is named with the one that was probably meant."""
    write_project(tmp_path, {"pyproject.toml": f"[tool.workflow]\n{setting}\n"})
    with pytest.raises(wfc.ProjectError, match=message):
        wfc.build(tmp_path)


@pytest.mark.parametrize("name", ["workflows", "wfc", "Workflow", "workflow-compiler"])
def test_a_misspelt_table_is_not_passed_over(name: str, tmp_path: Path) -> None:
    """Our settings under another name would be read by nobody."""
    write_project(tmp_path, {"pyproject.toml": f"[tool.{name}]\ndirs = ['app']\n"})
    with pytest.raises(wfc.ProjectError, match=rf"\[tool\.{name}\], .* write \[tool\.workflow\]"):
        wfc.build(tmp_path)


@pytest.mark.parametrize("text", ["[tool.workflows]\ncolour = 1\n", "[tool.ruff]\n", "tool = 1\n"])
def test_the_tables_of_others_are_theirs(text: str, tmp_path: Path) -> None:
    """What has settings of its own belongs to another tool."""
    root = write_project(tmp_path, {"pyproject.toml": text, "flows.py": FLOW})
    assert built(root) == ["workflow//flows.py//main"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_settings_with_a_mark_in_front(encoding: str, tmp_path: Path) -> None:
    """What some editors save is not TOML, and the message says how to save it."""
    (tmp_path / "pyproject.toml").write_text("[tool.workflow]\n", encoding)
    with pytest.raises(wfc.ProjectError, match="byte order mark: save it as UTF-8 without one"):
        wfc.build(tmp_path)


def test_a_file_in_utf16_is_not_passed_over(tmp_path: Path) -> None:
    """What some shells write is not Python; its directives are seen all the same."""
    (tmp_path / "flows.py").write_text(FLOW, "utf-16")
    [found] = wfc.build(tmp_path).diagnostics
    assert "Save the file as UTF-8" in found.fix


def test_a_file_is_no_project(tmp_path: Path) -> None:
    """The root is a folder, and the message says so."""
    root = write_project(tmp_path, FLOW) / "flows.py"
    with pytest.raises(wfc.ProjectError, match=r"flows\.py is a file; the project is the folder"):
        wfc.build(root)


def test_links_in_a_circle_are_passed_over(tmp_path: Path) -> None:
    """Links to folders above, to themselves and to nowhere do not stop the search."""
    write_project(tmp_path, FLOW)
    (tmp_path / "up").symlink_to(tmp_path)
    (tmp_path / "self.py").symlink_to(tmp_path / "self.py")
    (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere.py")
    assert built(tmp_path) == ["workflow//flows.py//main"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file that nobody can read")
def test_files_that_cannot_be_read_are_all_named(tmp_path: Path) -> None:
    """A file that may hold workflows is not left out in silence."""
    write_project(tmp_path, FLOW)
    for name in ("one.py", "two.py"):
        (tmp_path / name).symlink_to("/proc/self/mem")  # reading it fails, even for root
    with pytest.raises(wfc.ProjectError, match=r"one\.py cannot be read: .*two\.py cannot be read"):
        wfc.build(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all names are Unicode")
def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    """Such a file is passed over unless it has a directive, and then it is named."""
    write_project(tmp_path, FLOW)
    strange = os.fsencode(tmp_path) + b"/caf\xe9.py"
    Path(os.fsdecode(strange)).write_text("x = 1\n")
    assert built(tmp_path) == ["workflow//flows.py//main"]
    Path(os.fsdecode(strange)).write_text(FLOW)
    with pytest.raises(wfc.ProjectError, match="name is not UTF-8"):
        wfc.build(tmp_path)


def test_huge_files_are_searched_but_not_compiled(tmp_path: Path) -> None:
    """Megabytes of data in a Python file cost little, and a directive in them is an error."""
    write_project(tmp_path, FLOW)
    huge = tmp_path / "data.py"
    huge.write_bytes(b"x = 1\n" * 1_600_000)
    assert built(tmp_path) == ["workflow//flows.py//main"]
    with huge.open("ab") as file:
        file.write(FLOW.encode())
    with pytest.raises(wfc.ProjectError, match=r"data\.py mentions a directive and has 9 MB"):
        wfc.build(tmp_path)


def test_generated_that_cannot_be_written(tmp_path: Path) -> None:
    """A file in the place of the folder is an error of the project, not a crash."""
    write_project(tmp_path, FLOW)
    (tmp_path / "generated").write_text("mine")
    with pytest.raises(
        wfc.ProjectError, match="generated is a file, and the build writes a folder"
    ):
        wfc.build(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the temporary file in it, which nobody knows."""
    write_project(tmp_path, FLOW)

    def refused(**options: Any) -> Any:
        raise PermissionError(13, "Permission denied", f"{options['dir']}/.wfc-x1y2")

    monkeypatch.setattr("wfc.emit.writer.tempfile.mkstemp", refused)
    with pytest.raises(wfc.ProjectError, match=r"generated(/\w+)? cannot be written: Permission"):
        wfc.build(tmp_path, cache=False)


def test_a_folder_with_settings_of_its_own_is_another_project(tmp_path: Path) -> None:
    """It is left alone, unless `dirs` names it; a pyproject.toml without settings changes
    nothing."""
    files = {
        "flows.py": FLOW,
        "inner/pyproject.toml": '[tool.workflow]\ndirs = ["."]\n',
        "inner/flows.py": FLOW,
        "plain/pyproject.toml": '[project]\nname = "plain"\n',
        "plain/flows.py": FLOW,
    }
    root = write_project(tmp_path, files)
    assert built(root) == ["workflow//flows.py//main", "workflow//plain/flows.py//main"]
    assert built(root / "inner") == ["workflow//flows.py//main"]
    named = wfc.build(root, dirs=["inner"], write=False).manifest["workflows"]
    assert list(named) == ["workflow//inner/flows.py//main"]


def test_what_another_build_wrote_is_not_compiled(tmp_path: Path) -> None:
    """A build in a folder below leaves its own generated folder there; other folders that have
    a manifest.json are searched."""
    files = {
        "app/flows.py": FLOW,
        "other/manifest.json": '["no build"]',
        "other/step.py": FLOW,
    }
    root = write_project(tmp_path, files)
    assert wfc.build(root / "app").ok
    assert (root / "app/generated/workflows/flows.py").exists()
    assert built(root) == ["workflow//app/flows.py//main", "workflow//other/step.py//main"]


def test_the_project_around_a_folder(tmp_path: Path) -> None:
    """Settings or a build above say so; a pyproject.toml of its own makes the folder a project."""
    files = {
        "set/pyproject.toml": "[tool.workflow]\n",
        "set/a/b/flows.py": FLOW,
        "set/own/pyproject.toml": "",
        "plain/pyproject.toml": '[project]\nname = "plain"\n',
        "plain/a/flows.py": FLOW,
    }
    root = write_project(tmp_path, files).resolve()
    assert enclosing(root / "set/a/b") == root / "set"
    assert enclosing(root / "set/own") is None
    assert enclosing(root / "plain/a") is None
    assert wfc.build(root / "plain").ok
    assert enclosing(root / "plain/a") == root / "plain"


def test_a_command_in_a_folder_of_the_project_says_where_that_is(tmp_path: Path) -> None:
    """A build there goes on with a note; what needs a build or runs is refused with the place."""
    files = {"pyproject.toml": "[tool.workflow]\n", "app/flows.py": FLOW}
    root = write_project(tmp_path, files).resolve()
    inside = str(root / "app")
    for command in (["worker"], ["run", "main"], ["inspect", "runs"]):
        refused = CliRunner().invoke(main, [*command, "--root", inside])
        assert refused.exit_code == 2
        assert f"This folder lies in the project {root}: go there" in refused.stderr
    built_there = CliRunner().invoke(main, ["build", "--root", inside])
    assert built_there.exit_code == 0
    assert built_there.stderr.startswith(f"note: this builds {inside} alone")
    assert CliRunner().invoke(main, ["build", "--root", str(root)]).stderr == ""

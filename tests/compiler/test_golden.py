"""Golden folders: a project and what is built from it, or the findings. UPDATE_GOLDEN=1
rewrites."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

import wfc
from wfc.render.text import render_all
from workflow.sandbox.bundle import Bundle
from workflow.sandbox.program import Program

HERE = Path(__file__).parent
CASES = sorted(p.name for p in (HERE / "cases").iterdir())
ERRORS = sorted(p.name for p in (HERE / "errors").iterdir())
# A decorator that stays moves down to its function; of a version test stays what it gives.
REWRITTEN = {"@staticmethod", "@classmethod", "if True:", "if False:"}
UPDATE = os.environ.get("UPDATE_GOLDEN") == "1"


def copied(source: Path, to: Path) -> Path:
    shutil.copytree(source, to, ignore=shutil.ignore_patterns("expected*"))
    return to


def read_tree(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_text("utf-8") for p in files}


@pytest.mark.parametrize("name", CASES)
def test_build_gives_the_expected_files(name: str, tmp_path: Path) -> None:
    """Building the project gives exactly the files under `expected/`, no more and no fewer."""
    case = HERE / "cases" / name
    result = wfc.build(copied(case, tmp_path / "project"), cache=False)
    assert result.ok, render_all(result.diagnostics)
    made = result.project.root / result.project.generated
    if UPDATE:
        shutil.rmtree(case / "expected", ignore_errors=True)
        shutil.copytree(made, case / "expected")
    assert read_tree(made) == read_tree(case / "expected")


@pytest.mark.parametrize("name", CASES)
def test_workflow_mode_keeps_lines(name: str, tmp_path: Path) -> None:
    """Each line of workflow mode is the user's, or a part of it, blank, or a stub."""
    result = wfc.build(copied(HERE / "cases" / name, tmp_path / "project"), cache=False)
    assert result.manifest["modules"]
    for module in result.manifest["modules"]:
        user = (tmp_path / "project" / module["path"]).read_text("utf-8").split("\n")
        *lines, last = result.files[module["text"]].rstrip("\n").split("\n")
        if "_wfc_step" not in last:
            lines.append(last)
        assert len(lines) <= len(user)
        for line, original in zip(lines, user, strict=False):
            kept = not line or original.startswith(line.replace("async def", "def"))
            kept = kept or original.startswith(line)
            shortened_import = "import " in line and "import " in original
            left_to_the_step = "def " in line and "= ..." in line
            kept = kept or line.strip() in REWRITTEN or left_to_the_step
            assert kept or "_wfc_step(" in line or shortened_import, (line, original)


@pytest.mark.parametrize("name", ERRORS)
def test_findings_read_as_expected(name: str, tmp_path: Path) -> None:
    """The findings, as text for people, are those in `expected.txt`, and nothing is written."""
    case = HERE / "errors" / name
    result = wfc.build(copied(case, tmp_path / "project"), cache=False)
    text = render_all(result.diagnostics)
    if UPDATE:
        (case / "expected.txt").write_text(text, "utf-8")
    assert text == (case / "expected.txt").read_text("utf-8")
    assert not (tmp_path / "project" / "generated").exists()


@pytest.mark.parametrize("name", CASES)
def test_sandbox_runs_what_is_built(name: str, tmp_path: Path) -> None:
    """The sandbox loads each bundle from its bytes and finds every workflow and class in it."""
    bundle = wfc.build(copied(HERE / "cases" / name, tmp_path / "project"), cache=False).bundle
    assert bundle is not None
    program = Program(Bundle.from_bytes(bundle.to_bytes(), hash=bundle.hash))
    for workflow, (_, qualname) in bundle.workflows.items():
        assert program.entry(workflow).__qualname__ == qualname
    assert set(program.classes()) == set(bundle.classes)


def test_manifests_of_the_cases_are_canonical() -> None:
    """The checked-in manifests have sorted keys, two blanks of indent and a newline at the
    end."""
    for name in CASES:
        text = (HERE / "cases" / name / "expected" / "manifest.json").read_text("utf-8")
        again = json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        assert text == again

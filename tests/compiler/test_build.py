"""Building: settings, reproducible bytes, the cache, and what is written and removed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import wfc
from tests.compiler.projects import write_project
from wfc.analyse.checks import rules

CASE = Path(__file__).parent / "cases" / "sign_up"
FLOW = 'async def main() -> None:\n    "use workflow"\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return shutil.copytree(CASE, tmp_path / "project", ignore=shutil.ignore_patterns("expected"))


def test_same_bytes_in_another_folder_process_and_hash_seed(project: Path, tmp_path: Path) -> None:
    """Two builds in different folders and processes give identical files."""
    other = shutil.copytree(project, tmp_path / "elsewhere" / "deeper")
    first = wfc.build(project).files
    for seed in ("1", "2"):
        shutil.rmtree(other / "generated", ignore_errors=True)
        code = f"import wfc; wfc.build({str(other)!r}, cache=False)"
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            env={"PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo"},
        )
        for path, text in first.items():
            assert (other / "generated" / path).read_text("utf-8") == text
            assert str(tmp_path) not in text


def test_second_build_changes_nothing_and_needs_no_libcst(project: Path) -> None:
    """With a full cache nothing is rewritten, and libcst is not even imported."""
    assert wfc.build(project).stale
    code = (
        "import sys, wfc\n"
        f"assert wfc.build({str(project)!r}).stale == ()\n"
        "assert 'libcst' not in sys.modules\n"
        "assert 'workflow.sandbox.facades.ours' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_damaged_cache_does_no_harm(project: Path) -> None:
    """Entries that are cut off or empty are made again, with the same result."""
    files = wfc.build(project).files
    entries = [p for p in (project / ".workflow-cache").rglob("*") if p.is_file()]
    assert entries
    for entry in entries:
        entry.write_text(entry.read_text("utf-8")[:10], "utf-8")
    assert wfc.build(project).files == files


def test_stale_files_of_earlier_builds_are_removed(project: Path) -> None:
    """What a build made and the next one does not is removed; files of others stay."""
    wfc.build(project)
    (project / "generated" / "notes.txt").write_text("mine")
    (project / "flows.py").rename(project / "renamed.py")
    wfc.build(project)
    made = {
        p.relative_to(project / "generated").as_posix() for p in project.rglob("generated/**/*.py")
    }
    assert "workflows/renamed.py" in made
    assert "workflows/flows.py" not in made
    assert "client/flows.py" not in made
    assert (project / "generated" / "notes.txt").read_text() == "mine"


def test_file_of_somebody_else_is_not_overwritten(project: Path) -> None:
    """A file in the way that wfc did not make stops the build before anything is written."""
    write_project(project / "generated", {"step.py": "print('mine')\n"})
    with pytest.raises(wfc.ProjectError, match=r"step\.py was not made by wfc"):
        wfc.build(project)
    assert [p.name for p in (project / "generated").iterdir()] == ["step.py"]


@pytest.mark.parametrize("path", ["manifest.json", "step.py", "flow.py"])
@pytest.mark.parametrize("text", ["<<<<<<< HEAD\n{}\n=======\n", ""])
def test_damaged_file_among_ours_is_made_again(path: str, text: str, project: Path) -> None:
    """A generated file that a merge or a crash has left in pieces does not stop the build."""
    files = wfc.build(project).files
    (project / "generated" / path).write_text(text)
    assert wfc.build(project).stale == (path,)
    assert (project / "generated" / path).read_text("utf-8") == files[path]


def test_manifest_lists_every_file_with_its_hash(project: Path) -> None:
    """The manifest names what was built, so that others can tell whether it is current."""
    result = wfc.build(project)
    manifest = json.loads((project / "generated" / "manifest.json").read_bytes())
    assert manifest == result.manifest
    assert {*manifest["files"], "manifest.json"} == set(result.files)
    assert result.bundle is not None
    assert manifest["bundle"] == result.bundle.hash


def test_class_of_a_signature_comes_along_only_if_it_can(tmp_path: Path) -> None:
    """A class named in a signature is bundled, unless that would bring in what cannot be."""
    text = """\
import requests
from dataclasses import dataclass

@dataclass
class Plain:
    id: str

@dataclass
class Connected:
    id: str
    def load(self):
        return requests.get(self.id)

@dataclass
class Versioned:
    version: str = requests.__version__

async def load(id: str) -> tuple[Connected, Versioned]:
    "use step"

async def main(plain: Plain) -> None:
    "use workflow"
    await load(plain.id)
"""
    result = wfc.build(write_project(tmp_path, text), cache=False)
    assert result.ok
    assert {name: c["bundled"] for name, c in result.manifest["classes"].items()} == {
        "class//flows.py//Connected": True,  # without its method, which only steps can run
        "class//flows.py//Plain": True,
        "class//flows.py//Versioned": False,
    }
    assert "requests" not in result.files["workflows/flows.py"]


LOADED = {
    "enum": ('import enum\n\nclass A(enum.Enum):\n    a = int("x")\n', 4, "ValueError: invalid"),
    "dataclass": (
        "from dataclasses import dataclass\n\n\n@dataclass\nclass A:\n    a: int = 1\n    b: str\n",
        4,
        "TypeError: non-default",
    ),
    "random": ("import random\n\nA = random.random()\n", 3, "SandboxError: a random number"),
    "pydantic": (
        'from pydantic import BaseModel\n\nclass A(BaseModel):\n    a: "Nope[int]"\n',
        3,
        "SandboxError: model A",
    ),
}


@pytest.mark.parametrize(
    ("code", "line", "why"), [pytest.param(*v, id=k) for k, v in LOADED.items()]
)
def test_module_that_cannot_be_loaded_fails_the_build(
    code: str, line: int, why: str, tmp_path: Path
) -> None:
    """What raises at module level is a finding at its line, on every build until it is mended."""
    text = f'{code}\n\nasync def main() -> str:\n    "use workflow"\n    return str(A)\n'
    root = write_project(tmp_path, {"helper.py": "", "flows.py": text})
    for _ in range(2):
        (found,) = wfc.build(root).diagnostics
        assert (found.code, found.path, found.span.line) == ("WF812", "flows.py", line)
        assert why in found.message
    assert not (root / "generated").exists()


@pytest.mark.scenario("directive files in folders whose name begins with a dot")
def test_virtual_environments_and_caches_are_not_searched(tmp_path: Path) -> None:
    """Directives in installed packages, hidden folders and generated files do not count."""
    files = {
        "flows.py": FLOW,
        "env/pyvenv.cfg": "",
        "env/lib/a.py": FLOW,
        ".hidden/b.py": FLOW,
        "node_modules/c.py": FLOW,
        "generated/client/d.py": FLOW,
    }
    manifest = wfc.build(write_project(tmp_path, files), cache=False, write=False).manifest
    assert list(manifest["workflows"]) == ["workflow//flows.py//main"]


def test_dirs_narrow_the_search(tmp_path: Path) -> None:
    """With `dirs` only those folders are searched, and helpers elsewhere are still found."""
    files = {
        "pyproject.toml": '[tool.workflow]\ndirs = ["app"]\npassthrough = ["phonenumbers"]\n',
        "app/flows.py": "import phonenumbers\nfrom common import two\n\n"
        'async def main() -> int:\n    "use workflow"\n    return phonenumbers.x(two())\n',
        "common.py": "def two() -> int:\n    return 2\n",
        "other/flows.py": FLOW,
    }
    result = wfc.build(write_project(tmp_path, files), cache=False, write=False)
    assert result.diagnostics == ()
    assert list(result.manifest["workflows"]) == ["workflow//app/flows.py//main"]
    assert [m["name"] for m in result.manifest["modules"]] == ["app.flows", "common"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('dir = ["a"]', "no setting 'dir'"),
        ('dirs = ["missing"]', "no folder 'missing'"),
        ('packages = ["no_such_package"]', "cannot be found as Python source"),
        ('generated = "../out"', "inside the project"),
        ("dirs = 3", "list of strings"),
        ("dirs = [", "cannot be read"),
        ('passthrough = ["workflow"]', "'workflow' is the runtime itself"),
        ('passthrough = ["workflow.api"]', "'workflow.api' is the runtime itself"),
    ],
)
def test_wrong_settings_are_named(settings: str, message: str, tmp_path: Path) -> None:
    """A setting that is wrong or unknown stops the build with its name."""
    write_project(tmp_path, {"flows.py": FLOW, "pyproject.toml": f"[tool.workflow]\n{settings}\n"})
    with pytest.raises(wfc.ProjectError, match=message):
        wfc.build(tmp_path)


def test_codes_and_names_of_rules_are_unique() -> None:
    """No two rules share a code or a name."""
    names = [rule.name for rule in rules().values()]
    assert len(set(names)) == len(names)
    assert all(code == rule.code for code, rule in rules().items())

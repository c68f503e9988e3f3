"""The record of the last build says "nothing changed" only where nothing did."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import wfc
from tests.compiler.projects import write_project
from wfc import compiler
from wfc.analyse.checks import rules
from wfc.emit import tool
from wfc.emit.record import finding

FLOW = """\
from shop.prices import double

async def charge(cents: int) -> int:
    "use step"
    return cents

async def order(cents: int) -> int:
    "use workflow"
    return await charge(double(cents))
"""
FILES = {
    "shop/__init__.py": "",
    "shop/prices.py": "def double(cents: int) -> int:\n    return 2 * cents\n",
    "shop/flows.py": FLOW,
    "tools.py": "x = 1\n",
    "pyproject.toml": "",
}
WARNS = """\
import random

async def pick() -> int:
    "use workflow"
    total = 0
    for n in {1, 2, 3}:
        total = total * 2 + n
    return total
"""


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the projects that were compiled since, and not taken from the record."""
    found: list[str] = []
    real = compiler.load_program

    def load_program(project: wfc.Project, *rest: Any, **more: Any) -> Any:
        found.append(project.root.name)
        return real(project, *rest, **more)

    monkeypatch.setattr(compiler, "load_program", load_program)
    return found


def record(root: Path) -> Path:
    return root / ".workflow-cache" / "last-build.json"


def read(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}


@pytest.fixture
def project(tmp_path: Path, compiled: list[str]) -> Path:
    """A project that was built, with the list of builds emptied."""
    assert wfc.build(write_project(tmp_path, FILES)).ok
    compiled.clear()
    return tmp_path


def test_a_second_build_compiles_nothing(project: Path, compiled: list[str]) -> None:
    """It gives the same result, and what it does not have at hand is worked out when asked for."""
    again = wfc.build(project)
    assert compiled == []
    fresh = wfc.build(project, cache=False)
    assert (again.files, again.manifest, again.stale) == (fresh.files, fresh.manifest, ())
    assert fresh.bundle is not None
    assert again.bundle is not None
    assert again.bundle.hash == fresh.bundle.hash


def test_findings_are_told_again(tmp_path: Path, compiled: list[str]) -> None:
    """Warnings, their edits and what comments silenced are those of the build before."""
    silenced = """\
async def seed(text) -> str:
    "Use workflow."
    return text.strftime("%A")  # wfc: ignore[WF106] fixed locale here
"""
    root = write_project(tmp_path, {"one.py": WARNS, "two.py": silenced})
    first = wfc.build(root)
    assert first.ok
    assert any(d.edits for d in first.diagnostics)
    assert [s.reason for s in first.silenced] == ["fixed locale here"]
    compiled.clear()
    again = wfc.build(root)
    assert compiled == []
    assert (again.diagnostics, again.silenced) == (first.diagnostics, first.silenced)


def test_every_finding_survives_being_written_down(tmp_path: Path) -> None:
    """What the bad examples of all rules give is the same after a way through JSON."""
    with_notes = 0
    for rule in rules().values():
        root = write_project(tmp_path / rule.name, rule.bad)
        for found in wfc.build(root, write=False, cache=False).diagnostics:
            with_notes += bool(found.notes)
            assert finding(json.loads(json.dumps(asdict(found)))) == found
    assert with_notes


def package_instead(root: Path) -> None:
    (root / "shop/prices").mkdir()
    (root / "shop/prices/__init__.py").write_text("def double(cents): return cents\n")


CHANGES: dict[str, Callable[[Path], object]] = {
    "a workflow file": lambda root: (root / "shop/flows.py").write_text(
        (root / "shop/flows.py").read_text().replace("double(cents)", "double(cents) + 1")
    ),
    "a file that is imported": lambda root: (root / "shop/prices.py").write_text(
        "def double(cents: int) -> int:\n    return 3 * cents\n"
    ),
    "a file that is imported is gone": lambda root: (root / "shop/prices.py").unlink(),
    "a new file": lambda root: (root / "new.py").write_text(WARNS),
    "a file that hides ours": lambda root: (root / "workflow.py").write_text("x = 1\n"),
    "a package instead of a module": package_instead,
    "settings": lambda root: (root / "pyproject.toml").write_text(
        '[project]\nrequires-python = ">=3.12"\n'
    ),
    "a generated file": lambda root: (root / "generated/step.py").write_text("# Made by wfc\n"),
    "a client file": lambda root: (root / "generated/client/shop/flows.py").write_text("x = 1\n"),
    "a generated file is gone": lambda root: (root / "generated/flow.py").unlink(),
    "the manifest is gone": lambda root: (root / "generated/manifest.json").unlink(),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_noticed(what: str, project: Path, compiled: list[str]) -> None:
    """Whatever changed, the project is compiled, and comes out as without any cache."""
    CHANGES[what](project)
    found = wfc.build(project)
    assert compiled == [project.name]
    fresh = wfc.build(project, cache=False)
    assert (found.files, found.diagnostics) == (fresh.files, fresh.diagnostics)
    assert not fresh.ok or fresh.stale == ()


def test_a_change_of_what_nothing_uses_is_none(project: Path, compiled: list[str]) -> None:
    """A file without a directive that no workflow imports has no part in what is built."""
    (project / "tools.py").write_text("x = 2\n")
    (project / "more.py").write_text("y = 1\n")
    wfc.build(project)
    assert compiled == []


def test_where_hooks_are_resumed_counts_in_every_file(tmp_path: Path, compiled: list[str]) -> None:
    """A hook that nobody resumes is a finding; any file may take it away, or bring it back."""
    hook = (
        "from workflow import create_hook\n\n\nasync def ask() -> None:\n"
        '    "use workflow"\n    await create_hook(token="t")\n'
    )
    root = write_project(tmp_path, {"flows.py": hook, "tools.py": "x = 1\n"})
    assert wfc.build(root).diagnostics
    (root / "tools.py").write_text("from workflow.api import resume_hook\n")
    assert wfc.build(root).diagnostics == ()
    (root / "tools.py").write_text("x = 1\n")
    assert wfc.build(root).diagnostics
    assert len(compiled) == 3


def test_dirs_and_folders_have_a_say(project: Path, compiled: list[str]) -> None:
    """Other `dirs`, or another generated folder, are another build."""
    wfc.build(project, dirs=["shop"])
    (project / "pyproject.toml").write_text('[tool.workflow]\ngenerated = "made"\n')
    wfc.build(project)
    assert len(compiled) == 2
    assert (project / "made" / "manifest.json").exists()


def test_a_file_outside_of_dirs_is_seen_where_it_is_imported(
    tmp_path: Path, compiled: list[str]
) -> None:
    """`dirs` narrows the search for directives; what these import counts wherever it is."""
    flow = 'from prices import double\n\nasync def f() -> int:\n    "use workflow"\n    return '
    files = {"flows/f.py": f"{flow}double()\n", "prices.py": "def double():\n    return 2\n"}
    wfc.build(write_project(tmp_path, files), dirs=["flows"])
    (tmp_path / "prices.py").write_text("def double():\n    return 4\n")
    wfc.build(tmp_path, dirs=["flows"])
    wfc.build(tmp_path, dirs=["flows"])
    assert len(compiled) == 2
    assert "return 4" in (tmp_path / "generated/workflows/prices.py").read_text()


def test_a_touched_file_is_no_change(project: Path, compiled: list[str]) -> None:
    """Bytes count, not times."""
    for file in project.rglob("*.py"):
        file.write_bytes(file.read_bytes())
    wfc.build(project)
    assert compiled == []


def test_another_compiler_builds_anew(
    project: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record of another version of the compiler, or of the runtime, is not believed."""
    tool.fingerprint.cache_clear()
    monkeypatch.setattr(tool, "_PACKAGES", ("wfc",))
    wfc.build(project)
    tool.fingerprint.cache_clear()
    assert compiled == [project.name]


def test_only_plain_builds_are_remembered(project: Path, compiled: list[str]) -> None:
    """A check, a build without cache and a derived builder look at everything."""

    class Mine(wfc.Builder):
        pass

    wfc.build(project, write=False)
    wfc.build(project, cache=False)
    Mine(working_dir=project).build()
    assert len(compiled) == 3


def test_passthrough_is_never_remembered(tmp_path: Path, compiled: list[str]) -> None:
    """Other packages have a say in whether such a bundle loads."""
    settings = '[tool.workflow]\npassthrough = ["attrs"]\n'
    root = write_project(tmp_path, {"f.py": WARNS, "pyproject.toml": settings})
    wfc.build(root)
    wfc.build(root)
    assert len(compiled) == 2
    assert not record(root).exists()


def test_a_build_with_errors_is_not_remembered(project: Path, compiled: list[str]) -> None:
    """Each build of a broken project says what is wrong."""
    (project / "shop/flows.py").write_text("def f(:\n" + FLOW)
    assert not wfc.build(project).ok
    assert not wfc.build(project).ok
    assert len(compiled) == 2


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"format": 1, "key": 2}',
        b'{"format": 1, "key": "x", "lookups": 3}',
    ],
)
def test_a_damaged_record_is_as_good_as_none(
    damage: bytes, project: Path, compiled: list[str]
) -> None:
    """The project is compiled, and the next build has a record again."""
    before = read(project / "generated")
    record(project).write_bytes(damage)
    wfc.build(project)
    assert compiled == [project.name]
    assert read(project / "generated") == before
    wfc.build(project)
    assert len(compiled) == 1


FORGED: dict[str, Callable[[dict[str, Any]], object]] = {
    "a finding of the wrong type": lambda r: r.update(diagnostics=[{"code": 3}]),
    "a finding without a place": lambda r: r.update(diagnostics=[{"code": "WF101"}]),
    "findings that are none": lambda r: r.update(diagnostics=7),
    "an output more": lambda r: r["outputs"].update({"../tools.py": "0" * 64}),
    "an output less": lambda r: r["outputs"].pop("step.py"),
    "no outputs": lambda r: r.update(outputs={}),
    "no manifest": lambda r: r["outputs"].pop("manifest.json"),
    "another hash": lambda r: r["outputs"].update({"step.py": "0" * 64}),
    "an unknown question": lambda r: r["lookups"].append(["colour", "x", "red"]),
    "a wrong answer": lambda r: r["lookups"].append(["folder", "shop", "nowhere"]),
    "another format": lambda r: r.update(format=2),
}


@pytest.mark.parametrize("what", FORGED)
def test_a_record_that_is_wrong_in_one_point_is_not_believed(
    what: str, project: Path, compiled: list[str]
) -> None:
    """Every entry is checked for what it says and for its type."""
    kept = json.loads(record(project).read_bytes())
    FORGED[what](kept)
    record(project).write_text(json.dumps(kept))
    before = read(project / "generated")
    wfc.build(project)
    assert compiled == [project.name]
    assert read(project / "generated") == before
    assert (project / "tools.py").read_text() == "x = 1\n"


def test_no_text_of_client_mode_comes_from_the_cache(project: Path) -> None:
    """Applications import client modules, so code put into the cache must not get there."""
    wanted = (project / "generated/client/shop/flows.py").read_text()
    record(project).unlink()
    for entry in (project / ".workflow-cache").rglob("*.json"):
        kept = json.loads(entry.read_bytes())
        assert "_wfc.workflow" not in json.dumps(kept)
        if len(kept) == 1:
            entry.write_text(json.dumps(["import os; os.abort()", []]))
    (project / "generated/client/shop/flows.py").write_text("import os; os.abort()\n")
    wfc.build(project)
    assert (project / "generated/client/shop/flows.py").read_text() == wanted


def test_client_texts_are_not_made_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one file changed, the client modules of the others are taken from where they are."""
    from wfc.transform import texts

    made: list[tuple[str, str]] = []
    real = texts.make

    def make(job: texts.Job, *rest: Any) -> Any:
        made.append(job[:2])
        return real(job, *rest)

    (project / "other.py").write_text(WARNS)
    wfc.build(project)
    monkeypatch.setattr("wfc.transform.batch.make", make)
    (project / "other.py").write_text(WARNS.replace("pick", "choose"))
    wfc.build(project)
    assert sorted(made) == [(kind, "other.py") for kind in ("client", "stubs", "workflow")]

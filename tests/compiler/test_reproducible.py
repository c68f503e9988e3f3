"""The same sources give the same bytes, whoever builds them where; and `--check` for CI."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import forks
from tests.compiler.projects import write_project
from tests.compiler.shop import ROOT, SHOP

FILES = {
    **SHOP,
    "größe/__init__.py": '"""A package."""\n',
    "größe/flows.py": 'async def messen(maß: int) -> int:\n    "use workflow"\n    return maß\n',
    "pyproject.toml": '[tool.workflow]\ngenerated = "out"\n',
}

# Builds in a process of its own. A folder lists its files in another order when told so: what a
# file system does, and no other way is there to ask for it.
BUILD = """
import os, sys
if "UPSIDE_DOWN" in os.environ:
    walk, scandir, listdir = os.walk, os.scandir, os.listdir
    def upside_down(*args, **options):
        for base, folders, files in walk(*args, **options):
            folders.reverse(); files.reverse()
            yield base, folders, files
    os.walk = upside_down
    os.listdir = lambda *a: listdir(*a)[::-1]
sys.path[:0] = [{root!r}, {runtime!r}]
import wfc
result = wfc.build(".", cache="CACHE" in os.environ)
assert result.ok, result.diagnostics
"""

HOMES = {"HOME": "/nonexistent", "USER": "nobody", "LOGNAME": "nobody", "XDG_CACHE_HOME": "/x"}
ENVIRONMENTS: dict[str, tuple[str, dict[str, str]]] = {
    "another user": ("a", HOMES),
    "blanks in the path": ("with blanks/and  more", {}),
    "letters in the path": ("größe/変数/🎉", {"PYTHONUTF8": "1"}),
    "hash seed 0": ("a", {"PYTHONHASHSEED": "0"}),
    "hash seed 4711": ("a", {"PYTHONHASHSEED": "4711"}),
    "locale C": ("a", {"LC_ALL": "C"}),
    "locale C.UTF-8": ("a", {"LC_ALL": "C.UTF-8"}),
    "Turkish": ("a", {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"}),
    "time zone": ("a", {"TZ": "Asia/Tokyo"}),
    "order of the file system": ("a", {"UPSIDE_DOWN": "1"}),
    "optimised, with a cache": ("a", {"PYTHONOPTIMIZE": "2", "CACHE": "1"}),
}
WFC = [sys.executable, "-c", "from wfc.cli import main; main()"]
OTHER_PYTHONS = ["3.11", "3.12", "3.13"]


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}


def build_in(
    folder: Path, environment: dict[str, str], *, python: str = sys.executable, umask: int = 0o022
) -> dict[str, bytes]:
    """Write the project below `folder`, build it in another process, and return what was made."""
    write_project(folder, FILES)
    kept = {"PATH": os.environ.get("PATH", "")}
    code = BUILD.format(root=str(ROOT), runtime=str(ROOT / "runtime"))
    done = subprocess.run(
        [python, "-c", code],
        cwd=folder,
        env={**kept, **environment},
        umask=umask,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return bytes_of(folder / "out")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project and its build."""
    folder = tmp_path_factory.mktemp("reference")
    build_in(folder, {})
    return folder


@pytest.fixture(scope="module")
def reference(built: Path) -> dict[str, bytes]:
    return bytes_of(built / "out")


@pytest.mark.parametrize(
    ("place", "environment"), [pytest.param(*v, id=k) for k, v in ENVIRONMENTS.items()]
)
def test_same_bytes_in_another_environment(
    place: str, environment: dict[str, str], reference: dict[str, bytes], tmp_path: Path
) -> None:
    """User, path, hash seed, locale, time zone and the order of files leave no trace."""
    made = build_in(tmp_path / place, environment)
    assert made == reference
    assert len(reference) > 6
    assert not any(str(tmp_path).encode() in data for data in made.values())


def test_umask_decides_nothing(reference: dict[str, bytes], tmp_path: Path) -> None:
    """A tight umask changes neither the bytes nor who may read the files."""
    assert build_in(tmp_path, {}, umask=0o077) == reference
    modes = {p.stat().st_mode & 0o777 for p in (tmp_path / "out").rglob("*.*")}
    assert modes == {0o644}


@pytest.mark.parametrize("minor", OTHER_PYTHONS)
def test_same_bytes_on_every_python(
    minor: str, reference: dict[str, bytes], tmp_path: Path
) -> None:
    """Each supported Python builds the same files."""
    candidates = [str(ROOT / f".venv-{minor}/bin/python"), f"python{minor}"]
    if minor == f"{sys.version_info.major}.{sys.version_info.minor}":
        candidates = [sys.executable]
    python = next((p for p in map(shutil.which, candidates) if p and _has_libcst(p)), None)
    if python is None:
        pytest.skip(f"there is no Python {minor} with the compiler's dependencies here")
    assert build_in(tmp_path, {}, python=python) == reference


def _has_libcst(python: str) -> bool:
    code = "import libcst, RestrictedPython, pydantic, msgspec, click"
    return subprocess.run([python, "-c", code], capture_output=True, check=False).returncode == 0


def test_line_ends_of_a_checkout_show_only_in_the_hash_of_the_source(
    reference: dict[str, bytes], tmp_path: Path
) -> None:
    """A checkout with CRLF gives the same code and the same bundle. Only the hashes of the
    sources differ, by which a server sees that its files are those that were built."""
    write_project(tmp_path, FILES)
    other = {
        path: text.replace("\n", "\r\n") for path, text in FILES.items() if path.endswith(".py")
    }
    for path, text in other.items():
        (tmp_path / path).write_bytes(text.encode())
    assert forks.run([*WFC, "build"], cwd=tmp_path).returncode == 0
    made = bytes_of(tmp_path / "out")
    manifests = [json.loads(files.pop("manifest.json")) for files in (made, dict(reference))]
    assert made == {path: data for path, data in reference.items() if path != "manifest.json"}
    for manifest in manifests:
        for module in manifest["modules"]:
            assert module.pop("source_sha256")
    assert manifests[0] == manifests[1]


# -- wfc build --check ----------------------------------------------------------------------------


def check(folder: Path, *options: str) -> tuple[int, str]:
    done = forks.run([*WFC, "build", "--check", *options], cwd=folder)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def project(built: Path, tmp_path: Path) -> Path:
    """A copy of the project and its build."""
    return shutil.copytree(built, tmp_path, dirs_exist_ok=True)


def append(path: str, text: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        with (folder / path).open("a", encoding="utf-8") as file:
            file.write(text)

    return change


STALE: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "source changed": (
        append("shop/flows.py", "\nLATER = 1\n"),
        ["out/manifest.json"],
    ),
    "workflow changed": (
        append("größe/flows.py", "    # more\n    print(maß)\n"),
        ["out/manifest.json", "out/workflows/größe/flows.py"],
    ),
    "file missing": (lambda f: (f / "out/step.py").unlink(), ["out/step.py"]),
    "stub missing": (
        lambda f: (f / "out/client/shop/flows.pyi").unlink(),
        ["out/client/shop/flows.pyi"],
    ),
    "changed by hand": (append("out/flow.py", "# mine\n"), ["out/flow.py"]),
    "left over": (
        lambda f: (f / "größe/flows.py").unlink(),
        ["out/client/größe/flows.py", "out/client/größe/flows.pyi", "out/workflows/größe/flows.py"],
    ),
    "nothing there": (lambda f: shutil.rmtree(f / "out"), ["out/app.py", "out/manifest.json"]),
}


def test_check_of_a_fresh_build_passes(project: Path) -> None:
    """After a build, `--check` exits with 0 and leaves everything as it is; so it does with a
    file of somebody else in the folder."""
    (project / "out/notes.txt").write_text("mine")
    before = bytes_of(project)
    status, printed = check(project, "--no-cache")
    assert (status, bytes_of(project)) == (0, before)
    assert "checked" in printed


@pytest.mark.parametrize(
    ("change", "paths"), [pytest.param(*case, id=name) for name, case in STALE.items()]
)
def test_check_of_a_stale_build_fails(
    change: Callable[[Path], object], paths: list[str], project: Path
) -> None:
    """Whatever differs, `--check` exits with 1, names the files, and writes nothing."""
    change(project)
    before = bytes_of(project)
    status, printed = check(project, "--no-cache")
    assert (status, bytes_of(project)) == (1, before)
    assert "run `wfc build`" in printed
    for path in paths:
        assert f"  {path}\n" in printed


def test_check_of_wrong_code_and_of_no_project(project: Path) -> None:
    """Errors in the code exit with 1, and what is no project at all with 2."""
    append("größe/flows.py", '\n\nasync def b(n):\n    "use workflows"\n')(project)
    status, printed = check(project)
    assert status == 1
    assert "WF002" in printed
    assert "stale" not in printed
    assert check(project, "--root", "missing")[0] == 2

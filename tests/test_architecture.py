"""The shape of the repository: import arrows, light imports, readable files, a current build."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    path for folder in ("wfc", "runtime", "examples") for path in (ROOT / folder).rglob("*.py")
)
LONGEST_FILE = 500

# What production does not install, and what a web process should not pay for before it is needed.
COMPILER_ONLY = ("wfc", "libcst", "watchfiles")
HEAVY = ("pydantic", "starlette", "httpx", "libcst", "sqlite3", "uvicorn")


def python(code: str) -> str:
    """The output of `code` in a fresh interpreter; its errors fail the test."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of this virtual environment, run at the root of the repository."""
    return subprocess.run(
        [Path(sys.executable).with_name(name), *arguments],
        cwd=ROOT,
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_the_import_arrows_hold() -> None:
    """import-linter finds every contract of .importlinter kept."""
    done = tool("lint-imports", "--no-logo")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_source_file_holds_one_idea() -> None:
    """No source file is longer than a reader is willing to open."""
    lengths = {path: path.read_text(encoding="utf-8").count("\n") for path in SOURCES}
    assert {str(path): n for path, n in lengths.items() if n > LONGEST_FILE} == {}


def test_nothing_imports_the_package_by_its_folder() -> None:
    """`runtime.workflow` would be a second copy of `workflow`, with its own classes and context."""
    wrong = re.compile(r"^\s*(?:from\s+runtime\b|import\s+runtime\b)", re.MULTILINE)
    folders = ("wfc", "runtime", "examples", "tests", "generated", "benchmarks")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    assert [str(path) for path in files if wrong.search(path.read_text(encoding="utf-8"))] == []


def test_the_folder_of_the_runtime_is_not_a_package() -> None:
    """Without `runtime/__init__.py` the wrong import stays an accident, not a habit."""
    assert not (ROOT / "runtime" / "__init__.py").exists()


@pytest.mark.parametrize("module", ["workflow", "wfc.cli"])
def test_importing_stays_light(module: str) -> None:
    """Neither authors' `import workflow` nor `wfc --help` loads what only some uses need."""
    loaded = python(f"import sys, {module}; print(*sys.modules)").split()
    assert [name for name in HEAVY if name in loaded] == []


def test_the_runtime_works_without_the_build_extra() -> None:
    """Every module of the runtime can be imported where the compiler's libraries are missing."""
    blocked = f"import sys; sys.modules.update(dict.fromkeys({COMPILER_ONLY!r}))"
    names = python(
        f"{blocked}\n"
        "import importlib, pkgutil, workflow\n"
        "for module in pkgutil.walk_packages(workflow.__path__, 'workflow.'):\n"
        "    print(importlib.import_module(module.name).__name__)\n"
    ).split()
    assert "workflow.errors" in names
    assert "workflow.world.port" in names


def test_generated_is_current() -> None:
    """The checked-in `generated/` is what `wfc build` makes of the examples today."""
    done = tool("wfc", "build", "--check")
    assert done.returncode == 0, done.stdout + done.stderr

"""Real code goes through discovery, analysis and every rule without a crash."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

import pytest

from benchmarks.crawl import crawl, stdlib

LIBRARY = Path(sysconfig.get_path("stdlib"))

# Not Python on purpose, or of another version: what makes a file of the library unreadable.
NOT_PYTHON = (
    "lib2to3/tests/data/",
    "test/test_lib2to3/data/",
    "test/bad",
    "test/tokenizedata/bad",
    "test/encoded_modules/",
)


def named(files: list[Path]) -> list[tuple[str, Path]]:
    return [(file.relative_to(LIBRARY).as_posix(), file) for file in files]


def test_slice_of_the_standard_library() -> None:
    """One file in eighty, each function as a workflow: no crash, no directive where
    there is none, and texts that parse; and the rules do find what such code does."""
    files = [f for f in stdlib() if "test" not in f.relative_to(LIBRARY).parts]
    report = crawl(named(files[::80]), transform=True)
    assert report.crashes == []
    assert report.directives == []
    assert report.broken == []
    assert report.files > 5
    assert report.functions > 50  # 3.13 has few in these files
    assert sum(report.findings.values()) > report.functions / 10


@pytest.mark.skipif(
    "WORKFLOW_TEST_THOROUGH" not in os.environ, reason="minutes long; `make test-all` runs it"
)
def test_whole_standard_library() -> None:
    """The whole library, its own tests included: no crash and no directive."""
    report = crawl(named(stdlib()))
    assert report.crashes == []
    assert report.directives == []
    assert [b for b in report.broken if not b.startswith(NOT_PYTHON)] == []
    assert report.functions > 40_000


def test_what_it_looks_for_is_found(tmp_path: Path) -> None:
    """A directive, a file that is not Python and what a rule forbids all show in the report."""
    texts = {
        "a.py": 'def one():\n    "use step"\n\nclass A:\n    async def two(self):\n'
        "        return open('x')\n",
        "b.py": "def (",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    report = crawl([(name, tmp_path / name) for name in texts], only_async=True)
    assert report.crashes == []
    assert report.directives == ["a.py:2: 'use step' as EXACT FUNCTION"]
    assert [b.partition(":")[0] for b in report.broken] == ["b.py"]
    assert report.functions == 1
    assert report.findings["WF301"] == 1

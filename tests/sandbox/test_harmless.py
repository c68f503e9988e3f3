"""Attacks that nothing refuses: a limit stops them, they fail, or there is nothing to gain."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sandbox.harmless import CASES

ROOT = Path(__file__).parents[2]


# What a process can be started with, and what must not be seen: the seed of its hashes, its zone,
# what becomes of its warnings, and whether assertions and documentation are compiled.
STARTS = [
    {"PYTHONHASHSEED": "0", "TZ": "Asia/Tokyo"},
    {"PYTHONHASHSEED": "424242", "TZ": "America/New_York", "PYTHONWARNINGS": "error"},
    {"PYTHONHASHSEED": "random", "TZ": "UTC", "PYTHONOPTIMIZE": "2"},
]


def _lines(start: dict[str, str]) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.sandbox.harmless"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **start},
    )
    assert done.returncode == 0, done.stderr
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


@pytest.fixture(scope="module")
def processes() -> list[dict[str, str]]:
    """How each attack ended, in processes that were started differently."""
    return [_lines(start) for start in STARTS]


# One test for all of a kind: wherever it runs, three processes have to run all attacks for it.
@pytest.mark.parametrize("expected", ["busy", "fails", "same"])
def test_attacks_end_as_expected_and_alike_everywhere(
    processes: list[dict[str, str]], expected: str
) -> None:
    """They end by the limit, by an error or by themselves, each with one outcome everywhere."""
    names = [name for name, case in CASES.items() if case["expected"] == expected]
    first, *others = ({name: lines[name] for name in names} for lines in processes)
    assert first
    assert {n: end for n, end in first.items() if not end.startswith(f"('{expected}', ")} == {}
    assert {n: end for n, end in first.items() if " at 0x" in end} == {}
    for other in others:
        assert other == first

"""Attacks that nothing refuses: a limit stops them, they fail, or there is nothing to gain."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sandbox.harmless import CASES

ROOT = Path(__file__).parents[2]


def _lines(seed: str) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.sandbox.harmless"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": seed},
    )
    assert done.returncode == 0, done.stderr
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


@pytest.fixture(scope="module")
def processes() -> list[dict[str, str]]:
    """How each attack ended, in three processes."""
    return [_lines(seed) for seed in ("0", "424242", "random")]


@pytest.mark.parametrize("name", CASES)
def test_an_attack_ends_as_expected_and_alike_everywhere(
    processes: list[dict[str, str]], name: str
) -> None:
    """It ends by the limit, by an error or by itself, with the same outcome in all processes."""
    first, *others = (lines[name] for lines in processes)
    assert first.startswith(f"('{CASES[name]['expected']}', ")
    assert others == [first] * len(others)
    assert " at 0x" not in first

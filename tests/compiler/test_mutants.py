"""Wrong versions of the rules are noticed by the examples of the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SAMPLE = ("busy_wait", "generator", "lost_task", "unserialisable_return")


def survivors(*arguments: str) -> str:
    """What is printed about the mutants; a process of its own, because it forks many times."""
    command = [sys.executable, "-m", "tests.compiler.mutants", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_some_wrong_rules_are_noticed() -> None:
    """Each fifth mutant of a few rules makes an example differ."""
    assert survivors("--every", "5", *SAMPLE) == ""


@pytest.mark.skipif(
    "WORKFLOW_TEST_THOROUGH" not in os.environ, reason="minutes long; `make test-all` runs it"
)
def test_every_wrong_rule_is_noticed() -> None:
    """Every mutant of every rule makes an example differ, or is listed with a reason why not."""
    assert survivors("--jobs", "2") == ""

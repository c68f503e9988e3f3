"""A body decides the same in every process, whatever hash seed and memory the process has."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.replay.orders import BODIES

ROOT = Path(__file__).parents[2]
SEEDS = ["0", "1", "2", "3", "4", "5", "77", "1000", "424242", "4294967295", "random", "random"]
# What else processes are started with: their zone, what becomes of warnings, what is compiled.
STARTS = [
    {"TZ": "UTC"},
    {"TZ": "Asia/Tokyo", "PYTHONOPTIMIZE": "2"},
    {"TZ": "America/New_York", "PYTHONWARNINGS": "error"},
]


def _decided(number: int) -> list[str]:
    """Every decision of every body, in the process with this number."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.replay.orders"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={
            **os.environ,
            **STARTS[number % len(STARTS)],
            "PYTHONHASHSEED": SEEDS[number],
        },
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def processes() -> list[list[str]]:
    """The decisions of twelve processes."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(_decided, range(len(SEEDS))))


@pytest.mark.parametrize("body", BODIES)
def test_a_body_decides_the_same_everywhere(processes: list[list[str]], body: str) -> None:
    """All decisions of a body are equal in all processes, byte for byte, up to its end."""
    first, *others = ([ln for ln in lines if ln.startswith(f"{body} ")] for lines in processes)
    for other in others:
        assert other == first
    failing = body in ("abandoned", "failing")
    assert first[-1].split()[1] == ("run_failed" if failing else "run_completed")


def test_the_processes_do_differ() -> None:
    """The seeds used here do give a built-in set of these words different orders."""
    script = "from tests.replay.orders import WORDS; print(*set(WORDS))"
    orders = {
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            check=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in SEEDS[:3]
    }
    assert len(orders) == 3


def test_no_address_is_decided(processes: list[list[str]]) -> None:
    """No decision has the address of an object in it, the error that ends a run included."""
    assert not any(" at 0x" in line for line in processes[0])

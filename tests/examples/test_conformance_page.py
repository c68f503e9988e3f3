"""docs/conformance.md: what it names exists, and nothing in it is left open."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in (ROOT / "docs" / "conformance.md").read_text("utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| scenario |")
]


def test_every_test_it_names_exists() -> None:
    """A test that is renamed or removed takes its row along."""
    names = [found for row in ROWS for found in re.findall(r"`([\w/]+\.py)::(\w+)`", row[1])]
    assert len(names) > 50
    for file, test in names:
        path = ROOT / file if file.startswith("runtime/") else ROOT / "tests" / file
        assert re.search(rf"def {test}\(", path.read_text("utf-8")), f"{file}::{test}"


def test_every_scenario_has_a_test_or_a_reason() -> None:
    """Each row is one scenario and one answer."""
    for row in ROWS:
        assert len(row) == 2, row
        kinds = ("`", "not yet", "does not apply: ", "differs: ")
        assert row[1].startswith(kinds), row
    scenarios = [row[0] for row in ROWS]
    assert len(set(scenarios)) == len(scenarios)


def test_every_scenario_here_is_in_the_table() -> None:
    """What examples/test_scenarios.py runs is claimed by at least one row."""
    text = (Path(__file__).parent / "test_scenarios.py").read_text("utf-8")
    claimed = {test for row in ROWS for test in re.findall(r"test_scenarios.py::(\w+)", row[1])}
    assert claimed == set(re.findall(r"^def (test_\w+)", text, re.M))

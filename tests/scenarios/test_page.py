"""docs/conformance.md has all scenarios, and what it names exists."""

from __future__ import annotations

import re

from tests.marks import marked
from tests.scenarios.page import PAGE, problems, rows


def test_every_scenario_has_a_test_or_a_reason() -> None:
    """Nothing is shown that the catalogue lacks, and nothing in it is left open."""
    assert problems(marked("scenario")) == []


def test_the_page_is_current() -> None:
    """`python -m tests.scenarios.page` has been run since a test was added, renamed or removed."""
    lines = PAGE.read_text("utf-8").splitlines()
    written = {
        name: set(re.findall(r"`(\w[^`]*\.py::\w+)`", said))
        for line in lines
        if line.startswith("| ") and line.count(" | ") == 1
        for name, said in [line.strip("| ").split(" | ")]
    }
    for _, name, said in rows(marked("scenario"), None):
        assert written.get(name) == set(re.findall(r"`(\w[^`]*\.py::\w+)`", said)), name
    assert not [line for line in lines if "FAILS" in line]

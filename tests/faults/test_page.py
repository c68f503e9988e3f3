"""docs/faults.md lists every fault with tests that exist."""

from __future__ import annotations

from tests.faults.page import PAGE, problems, text
from tests.marks import marked


def test_every_fault_has_a_test() -> None:
    """Nothing is listed that no test shows, and no test is marked for what is not listed."""
    assert problems(marked("fault")) == []


def test_the_page_is_current() -> None:
    """`python -m tests.faults.page` has been run since a test or a sentence was changed."""
    assert PAGE.read_text("utf-8") == text(marked("fault"))

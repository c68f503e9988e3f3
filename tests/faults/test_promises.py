"""The page that makes the promises names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "reliability.md"


def test_every_promise_names_tests_that_exist() -> None:
    """Ten promises, each with at least one test; every test that the page names is there."""
    text = PAGE.read_text("utf-8")
    promises = re.findall(r"^\*\*(P\d+)\. (.*?)(?=^\*\*P|^## )", text, re.MULTILINE | re.DOTALL)
    assert [name for name, _ in promises] == [f"P{n}" for n in range(1, 11)]
    named = re.compile(r"`([\w/]+\.py)::(\w+)`")
    for name, about in promises:
        assert named.search(about), f"{name} has no test"
    for file, test in named.findall(text):
        assert f"def {test}(" in (TESTS / file).read_text("utf-8"), f"{file}::{test}"

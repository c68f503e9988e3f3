"""The examples of every rule, run through the compiler."""

from __future__ import annotations

from pathlib import Path

import pytest

import wfc
from tests.compiler.projects import write_project
from wfc.analyse.checks import rules
from wfc.diagnostics import Rule

RULES = [pytest.param(rule, id=rule.name) for rule in rules().values()]


def codes(root: Path) -> set[str]:
    return {d.code for d in wfc.build(root, write=False, cache=False).diagnostics}


@pytest.mark.parametrize("rule", RULES)
def test_bad_example_is_found(rule: Rule, tmp_path: Path) -> None:
    """The bad example of a rule gives that finding and no other."""
    assert codes(write_project(tmp_path, rule.bad)) == {rule.code}


@pytest.mark.parametrize("rule", RULES)
def test_good_example_is_clean(rule: Rule, tmp_path: Path) -> None:
    """The good example of a rule gives no finding."""
    assert codes(write_project(tmp_path, rule.good)) == set()


@pytest.mark.parametrize("rule", RULES)
def test_page_says_what_why_and_what_instead(rule: Rule) -> None:
    """The page of a rule has at least the three parts that STYLE asks for."""
    assert len(rule.page.strip().split("\n\n")) >= 3


def test_ignore_comment_silences_its_line_only(tmp_path: Path) -> None:
    """A comment silences the finding of its code on its own line and leaves the others."""
    text = """\
async def sign_up(email) -> str:
    "use workflow"
    first = email.strftime("%A")  # wfc: ignore[WF106] fixed locale
    return first + email.strftime("%A")
"""
    found = wfc.build(write_project(tmp_path, text), write=False, cache=False).diagnostics
    assert [(d.code, d.span.line) for d in found] == [("WF106", 4)]


def test_all_problems_are_reported_in_one_go(tmp_path: Path) -> None:
    """One build reports the problems of several functions and kinds, in the order of the file."""
    text = """\
import requests

async def one() -> None:
    "use workflow"
    requests.get("https://a.example")
    open("x")

async def two() -> None:
    "use workflows"
"""
    found = wfc.build(write_project(tmp_path, text), write=False, cache=False).diagnostics
    assert [d.code for d in found] == ["WF302", "WF301", "WF002"]


def test_each_use_on_a_line_is_reported(tmp_path: Path) -> None:
    """Two forbidden uses on one line are two findings; the same use twice is one."""
    text = """\
import os

async def main() -> str:
    "use workflow"
    return os.environ["A"] + os.environ["B"] + os.getenv("C")
"""
    found = wfc.build(write_project(tmp_path, text), write=False, cache=False).diagnostics
    assert [d.code for d in found] == ["WF307", "WF307"]
    assert "os.environ" in found[0].message
    assert "os.getenv" in found[1].message

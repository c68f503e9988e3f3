"""`@step_options` written wrongly: found by the build, and not when a worker imports the module."""

from __future__ import annotations

from pathlib import Path

import pytest

import wfc
from tests.compiler.projects import write_project

SOURCE = """
import workflow
from workflow import step_options

SHARED = {"max_retries": 2}


@OPTIONS
async def work() -> None:
    "use step"
"""


@pytest.mark.parametrize(
    ("options", "why", "instead"),
    [
        ("step_options", "is not called", "Write `@step_options(max_retries=5)`"),
        ("step_options(3)", "takes options by their names only", "max_retries, timeout, backoff"),
        ("step_options(retries=2)", "has no option 'retries'", "Did you mean max_retries?"),
        ("workflow.step_options(timout=2)", "has no option 'timout'", "Did you mean timeout?"),
        ("step_options(timeout=1, x=2)", "has no option 'x'", "The options are max_retries"),
    ],
)
def test_wrong_options(options: str, why: str, instead: str, tmp_path: Path) -> None:
    """The finding says what is wrong with it and which options there are."""
    files = {"flows.py": SOURCE.replace("OPTIONS", options)}
    [finding] = wfc.build(write_project(tmp_path, files), write=False).diagnostics
    assert (finding.code, finding.span.line) == ("WF014", 8)
    assert why in finding.message
    assert instead in finding.fix
    assert "max_retries" in finding.fix


@pytest.mark.parametrize(
    "options",
    [
        "step_options()",
        "step_options(max_retries=1, timeout=2, backoff=3, run_in='process')",
        "step_options(**SHARED)",
    ],
)
def test_right_options(options: str, tmp_path: Path) -> None:
    """Every option, none, and what only the import can tell."""
    files = {"flows.py": SOURCE.replace("OPTIONS", options)}
    result = wfc.build(write_project(tmp_path, files), write=False)
    assert not [d for d in result.diagnostics if d.code == "WF014"]


ATTRIBUTES = """
async def work() -> None:
    "use step"


work.SETTING
"""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ('max_retries="3"', "max_retries is a whole number from 0, and this is '3'"),
        ("max_retries=-1", "this is -1"),
        ("max_retries=2.5", "this is 2.5"),
        ("max_retries=True", "this is True"),
        ('run_in="proces"', "this is 'proces'"),
        ("timeout=0", "A timeout is longer than 0."),
    ],
)
def test_values_that_no_option_has(options: str, said: str, tmp_path: Path) -> None:
    """A worker could not import the module; the build says which value is wrong, and why."""
    files = {"flows.py": SOURCE.replace("OPTIONS", f"step_options({options})")}
    [finding] = wfc.build(write_project(tmp_path, files), write=False).diagnostics
    assert (finding.code, finding.span.line) == ("WF015", 8)
    assert said in finding.message


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("max_retires = 5", "work.max_retires sets nothing. Did you mean work.max_retries?"),
        ("max_retries = -1", "this is -1"),
        ('timeout = "never"', "timeout is a duration, and this is 'never'"),
        ('backoff = "2 secnds"', 'Did you mean "2 seconds"?'),
    ],
)
def test_attributes_that_set_no_option(setting: str, said: str, tmp_path: Path) -> None:
    """Python takes any attribute; a misspelt one would be no option, and nobody would say so."""
    files = {"flows.py": ATTRIBUTES.replace("SETTING", setting)}
    [finding] = wfc.build(write_project(tmp_path, files), write=False).diagnostics
    assert (finding.code, finding.span.line) == ("WF015", 6)
    assert said in f"{finding.message} {finding.fix}"


@pytest.mark.parametrize("setting", ["max_retries = None", "tags = ['a']", "timeout = PATIENCE"])
def test_attributes_of_ones_own(setting: str, tmp_path: Path) -> None:
    """What is no option at all, what is computed, and None."""
    files = {"flows.py": f"PATIENCE = 3\n{ATTRIBUTES.replace('SETTING', setting)}"}
    assert wfc.build(write_project(tmp_path, files), write=False).diagnostics == ()

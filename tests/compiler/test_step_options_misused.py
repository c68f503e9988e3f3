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

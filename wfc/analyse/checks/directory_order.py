"""Workflow code lists a folder.

The entries come in the order of the file system, which differs between machines, and a replay would
find other files than the first time.

List the folder in a function marked `"use step"`, and sort there: then what was found is recorded.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF409",
    name="directory-order",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import os


async def names() -> list[str]:
    "use workflow"
    return os.listdir("inbox")
""",
    good="""\
import os


async def names() -> list[str]:
    "use step"
    return sorted(os.listdir("inbox"))


async def count() -> int:
    "use workflow"
    return len(await names())
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)

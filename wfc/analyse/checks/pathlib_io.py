"""Workflow code works with a path of the file system.

A workflow may continue on another machine, perhaps with other folders and another kind of path. A
`Path` may be an argument or a result of a workflow or a step, but what it points to is only there
for steps.

Do the work with files in a function marked `"use step"`. To put a name together, text is enough:
`f"{folder}/{name}"`.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF310",
    name="pathlib-io",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
from pathlib import Path


async def terms() -> str:
    "use workflow"
    return Path("terms.txt").read_text()
""",
    good="""\
from pathlib import Path


async def read(name: str) -> str:
    "use step"
    return Path(name).read_text()


async def terms() -> str:
    "use workflow"
    return await read("terms.txt")
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and name of pathlib, and for each method that asks the file
    system."""
    yield from banned(program, RULE)

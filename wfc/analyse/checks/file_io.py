"""Workflow code opens or changes a file.

A run outlives its process: it may go on months later on another machine, where the file is not.
And whenever it goes on, the body of the workflow runs again from the start; it would read what the
file says then, or write it a second time.

Read or write the file in a function marked `"use step"` and await it: that happens once, and what
the function returns is recorded for good.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF301",
    name="file-io",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
async def sign_up(email: str) -> str:
    "use workflow"
    with open("terms.txt") as file:
        return file.read()
""",
    good="""\
async def read_terms() -> str:
    "use step"
    with open("terms.txt") as file:
        return file.read()


async def sign_up(email: str) -> str:
    "use workflow"
    return await read_terms()
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each use of `open`, and for each file and such name."""
    yield from banned(program, RULE)

"""Workflow code opens a file.

A workflow may continue on another machine months later, where its files are not, and a replay
would read what the file says then.

Read or write the file in a function marked `"use step"`.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.builtin_uses import builtin_uses
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF301",
    name="file-io",
    severity=Severity.ERROR,
    page=__doc__,
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
    """Yield a finding for each use of `open`."""
    yield from builtin_uses(program, RULE, ("open",))

"""Workflow code starts a process.

A workflow body runs again at every replay, and each time it would start the process once more, on
whatever machine it happens to be.

Start it in a function marked `"use step"` and return what it printed.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF305",
    name="subprocess",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
import subprocess


async def thumbnail(path: str) -> None:
    "use workflow"
    subprocess.run(["convert", path, "-resize", "64x64", "thumbnail.png"], check=True)
""",
    good="""\
import subprocess


async def convert(path: str) -> None:
    "use step"
    subprocess.run(["convert", path, "-resize", "64x64", "thumbnail.png"], check=True)


async def thumbnail(path: str) -> None:
    "use workflow"
    await convert(path)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)

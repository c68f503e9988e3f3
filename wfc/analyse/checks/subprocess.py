"""Workflow code starts a process.

When a run goes on after a crash or a long sleep, the function of the workflow starts again at its
first line, perhaps on another machine. It would start the program again each time.

Start it in a function marked `"use step"`, and return what it printed or where the result is. That
is written down, and later passes take it from there. If the worker dies while the program runs, the
step is tried again: let it write over what the first try has left.
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
    silenceable=False,
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

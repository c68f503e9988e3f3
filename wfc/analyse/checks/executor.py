"""Workflow code hands work to a pool of threads or processes.

In which order a pool does its work is decided anew each time, and its results are not in the log: a
replay would do the work again.

Mark the function `"use step"` and await it. A step may be a plain `def`; it then runs on a thread,
is retried when it fails, and its result is recorded.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF502",
    name="executor",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import asyncio


def resize(path: str) -> str:
    return path


async def thumbnail(path: str) -> str:
    "use workflow"
    return await asyncio.to_thread(resize, path)
""",
    good="""\
def resize(path: str) -> str:
    "use step"
    return path


async def thumbnail(path: str) -> str:
    "use workflow"
    return await resize(path)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)

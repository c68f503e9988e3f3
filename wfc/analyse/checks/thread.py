"""Workflow code starts a thread.

Which of two threads comes first is decided anew each time. A replay has to do the same things in
the same order, so a workflow has one thread of control: what happens between two awaits happens
alone.

For several things at once, start several steps: `await asyncio.gather(first(), second())`. For work
that takes the processor, write a step as a plain `def`: it runs on a thread of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF501",
    name="thread",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import threading


def resize(path: str) -> None:
    return None


async def thumbnail(path: str) -> None:
    "use workflow"
    worker = threading.Thread(target=resize, args=[path])
    worker.start()
""",
    good="""\
import asyncio


def resize(path: str, width: int) -> None:
    "use step"


async def thumbnail(path: str) -> None:
    "use workflow"
    await asyncio.gather(resize(path, 64), resize(path, 256))
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)

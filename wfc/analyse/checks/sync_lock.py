"""Workflow code uses a lock or a queue that is made for threads.

Waiting for such a lock stops the worker's thread. Whatever would release it cannot run either, and
the run hangs for ever.

Use the one of the same name in asyncio, and await it. Often none is needed: between two awaits
nothing else runs in a workflow.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF513",
    name="sync-lock",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import threading


async def count(names: list[str]) -> int:
    "use workflow"
    lock = threading.Lock()
    with lock:
        return len(names)
""",
    good="""\
import asyncio


async def count(names: list[str]) -> int:
    "use workflow"
    lock = asyncio.Lock()
    async with lock:
        return len(names)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)

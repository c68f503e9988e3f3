"""Workflow code uses an asynchronous library that brings its own event loop.

trio, anyio, gevent and the like wait for sockets and timers of the machine. A workflow runs on an
event loop that is replayed from the log and has neither.

Use asyncio in the workflow: `gather`, `TaskGroup`, `timeout`, `Queue` and the rest work there.
Inside a step every library is fine.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF504",
    name="foreign-async-library",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import trio


async def remind() -> None:
    "use workflow"
    await trio.sleep(3600)
""",
    good="""\
from workflow import sleep


async def remind() -> None:
    "use workflow"
    await sleep("1 hour")
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)

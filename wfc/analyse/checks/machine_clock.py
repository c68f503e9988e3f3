"""Workflow code reads a clock that only the machine has.

`time.time()`, `time.monotonic()`, `time.perf_counter()` and `datetime.now()` are fine in a
workflow: they give the time at which the run got this far, and a replay gives the same. The
processor time of a process is not recorded anywhere, and the next process starts at zero.

Use one of the clocks above, or measure inside a step and return the duration.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF103",
    name="machine-clock",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import time


async def convert(path: str) -> None:
    "use step"


async def import_file(path: str) -> float:
    "use workflow"
    before = time.process_time()
    await convert(path)
    return time.process_time() - before
""",
    good="""\
import time


async def convert(path: str) -> float:
    "use step"
    before = time.process_time()
    return time.process_time() - before


async def import_file(path: str) -> float:
    "use workflow"
    return await convert(path)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)

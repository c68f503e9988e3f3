"""Workflow code observes the garbage collector.

When an object is collected depends on everything else that the process does. Code that looks, or
that runs when it happens, would do something else at a replay.

Leave it out. What has to be done at the end belongs into `with` or `try: ... finally:`.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF607",
    name="gc-or-weakref",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import gc


async def tidy() -> int:
    "use workflow"
    return gc.collect()
""",
    good="""\
async def tidy() -> int:
    "use workflow"
    return 0
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)

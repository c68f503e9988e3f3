"""Workflow code asks the machine for its time zone, or for the zones it knows.

A run may go on in another data centre than it began in, where the clock is set to another zone, or
where another list of zones is installed. It would then take another way than before.

Inside a workflow the local zone is therefore always UTC: `datetime.now()` and `moment.astimezone()`
mean UTC there. Name the zone you mean, `moment.astimezone(ZoneInfo("Europe/Paris"))`, or pass its
name as an argument. If you do need what is set or installed on the machine, ask in a function
marked `"use step"`: then the answer is written down.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF105",
    name="local-timezone",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import zoneinfo


async def offer() -> list[str]:
    "use workflow"
    return sorted(zoneinfo.available_timezones())
""",
    good="""\
import zoneinfo


async def zones() -> list[str]:
    "use step"
    return sorted(zoneinfo.available_timezones())


async def offer() -> list[str]:
    "use workflow"
    return await zones()
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)

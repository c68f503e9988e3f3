"""Workflow code asks the machine for its time zone.

A run may go on in another data centre than it began in. Inside a workflow the local zone is
therefore always UTC: `moment.astimezone()` and `datetime.now()` mean UTC there. What the machine
itself has set is not available.

Name the zone you mean: `moment.astimezone(zoneinfo.ZoneInfo("Europe/Paris"))`.
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
    bad="""\
import zoneinfo


async def zones() -> list[str]:
    "use workflow"
    return sorted(zoneinfo.available_timezones())
""",
    good="""\
from datetime import datetime
from zoneinfo import ZoneInfo


async def local_hour(zone: str) -> int:
    "use workflow"
    return datetime.now(ZoneInfo(zone)).hour
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)

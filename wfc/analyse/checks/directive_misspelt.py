"""A string that looks like a directive and is none.

There are two directives, `"use workflow"` and `"use step"`. A string that is nearly one of them
would be ignored, and the function would run as ordinary code.

Correct the spelling. If the string is a docstring that happens to look like this, say more in it.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.sightings import directives
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program, Spelling

RULE = Rule(
    code="WF002",
    name="directive-misspelt",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
async def sign_up(email: str) -> str:
    "use workflows"
    return email.lower()
""",
    good="""\
async def sign_up(email: str) -> str:
    "use workflow"
    return email.lower()
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each near-miss."""
    for module, sighting in directives(program):
        if sighting.spelling is Spelling.MISSPELT:
            yield RULE.at(
                module,
                sighting.statement,
                f'"{sighting.text.strip()}" is not a directive, so the function would run as '
                "ordinary code.",
                f'Did you mean "use {sighting.kind.value}"?',
            )

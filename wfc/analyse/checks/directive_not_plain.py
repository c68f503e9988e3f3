"""A directive written as an f-string or as bytes.

The compiler reads directives without running the code, so it must find the words themselves.

Write a plain string.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.sightings import directives
from wfc.analyse.respell import respelt
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program, Spelling

RULE = Rule(
    code="WF007",
    name="directive-not-plain",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
async def sign_up(email: str) -> str:
    f"use workflow"
    return email.lower()
""",
    good="""\
async def sign_up(email: str) -> str:
    "use workflow"
    return email.lower()
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each directive that is not a plain string."""
    for module, sighting in directives(program):
        if sighting.spelling is Spelling.NOT_PLAIN:
            yield RULE.at(
                module,
                sighting.statement,
                "A directive is read without running the code, so an f-string or bytes cannot be "
                "one.",
                f'Write it as a plain string: "use {sighting.kind.value}".',
                edits=respelt(module, sighting),
            )

"""A directive that a formatter has changed.

Formatters for docstrings capitalise the first word, add a full stop, or use three quotes. The
directive is accepted, because nobody wants a formatter to switch a workflow off, but the next one
may go further.

Write it in lower case with one pair of quotes, after the docstring; there formatters leave it
alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.sightings import directives
from wfc.analyse.respell import respelt
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Place, Program, Spelling

RULE = Rule(
    code="WF010",
    name="directive-spelling",
    severity=Severity.WARNING,
    page=__doc__,
    bad='''\
async def sign_up(email: str) -> str:
    """Use workflow."""
    return email.lower()
''',
    good='''\
async def sign_up(email: str) -> str:
    """Onboard one user."""
    "use workflow"
    return email.lower()
''',
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each directive in altered spelling that has effect."""
    for module, sighting in directives(program):
        placed = sighting.place in (Place.FUNCTION, Place.MODULE)
        if placed and sighting.spelling is Spelling.ALTERED:
            yield RULE.at(
                module,
                sighting.statement,
                f'This is taken as "use {sighting.kind.value}", though it is not written that way; '
                "a docstring formatter may have changed it.",
                f'Write "use {sighting.kind.value}" on a line of its own after the docstring.',
                edits=respelt(module, sighting),
            )

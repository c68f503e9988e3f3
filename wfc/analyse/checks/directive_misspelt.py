"""A string or a comment that looks like a directive and is none.

There are two directives, `"use workflow"` and `"use step"`. They have to be written exactly so.
To Python a string that is nearly one of them is a string and nothing more, and a comment is not
even that: the function would run as ordinary code, nothing of it would be recorded, and a crash
would lose it. Nobody would notice until then, so it is an error.

Correct the spelling; `wfc build --fix` does it where there is no doubt. If the string is a
docstring that happens to look like this, say more in it.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.sightings import directives
from wfc.analyse.commented import commented
from wfc.analyse.respell import respelt
from wfc.diagnostics import Diagnostic, Edit, Rule, Severity
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
    """Yield a finding for each near-miss, and for each comment in the place of a directive."""
    for module, sighting in directives(program):
        if sighting.spelling is Spelling.MISSPELT:
            yield RULE.at(
                module,
                sighting.statement,
                f'"{sighting.text.strip()}" is not a directive. To Python it is only a string, so '
                "the function would run as ordinary code and nothing of it would be recorded.",
                f'Did you mean "use {sighting.kind.value}"?',
                edits=respelt(module, sighting),
            )
    for module in program.modules.values():
        for comment in commented(module):
            written = f'"use {comment.word}"'
            yield RULE.at(
                module,
                comment.span,
                "A comment is not a directive: Python does not see it, so the function would run "
                "as ordinary code and nothing of it would be recorded.",
                f"Write the string {written}, without the #.",
                edits=(Edit(comment.span, written),) if comment.in_place else (),
            )

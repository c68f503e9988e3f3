"""A directive that is not where it takes effect.

A directive marks a function only as the first statement of its body, or as the second after the
docstring. Anywhere else Python evaluates the string and throws it away, and the function would
run as ordinary code: no log, no retries, no replay.

Move the string up, above every other statement of the function.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.sightings import directives
from wfc.analyse.respell import moved
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Place, Program, Spelling

RULE = Rule(
    code="WF001",
    name="directive-misplaced",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
async def sign_up(email: str) -> str:
    email = email.lower()
    "use workflow"
    return email
""",
    good='''\
async def sign_up(email: str) -> str:
    """Onboard one user."""
    "use workflow"
    return email.lower()
''',
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each directive below other statements or inside a docstring."""
    for module, sighting in directives(program):
        words = f'"use {sighting.kind.value}"'
        if sighting.spelling is Spelling.IN_DOCSTRING:
            yield RULE.at(
                module,
                sighting.statement,
                f"{words} stands inside the docstring, where it is only text.",
                "End the docstring before it and put the directive on the next line, as a string "
                "of its own.",
                edits=moved(module, sighting),
            )
        elif sighting.place is Place.LATER and sighting.spelling is not Spelling.NOT_PLAIN:
            where, above = "the function", "the docstring if there is one"
            if sighting.function is None:
                where = "the file"
                above = "the docstring and the imports from __future__ if there are any"
            yield RULE.at(
                module,
                sighting.statement,
                f"{words} has no effect here: other statements of {where} come before it.",
                f"Move it to the top of {where}, directly after {above}.",
                edits=moved(module, sighting),
            )

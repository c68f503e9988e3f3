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
from wfc.model import Module, Place, Program, Sighting, Spelling

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
            first = _valid(module, sighting)
            if first is not None and first.kind is not sighting.kind:
                yield RULE.at(
                    module,
                    sighting.statement,
                    f'{words} has no effect here: "use {first.kind.value}" above it counts, and a '
                    "function is either a workflow or a step.",
                    "Keep one of the two; what is for the other goes into a function of its own.",
                )
                continue
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


def _valid(module: Module, sighting: Sighting) -> Sighting | None:
    """The directive that marks the function of another one, which stands below it."""
    if sighting.function is None:
        return None
    return next(
        (
            other
            for other in module.sightings
            if other.function is sighting.function
            and other.place is Place.FUNCTION
            and other.spelling in (Spelling.EXACT, Spelling.ALTERED)
        ),
        None,
    )

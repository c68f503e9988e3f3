"""A workflow or step that is defined only under a condition.

A run may begin on one machine and go on, weeks later, on another. If the condition holds on the
first and not on the second, the run asks there for a step that does not exist. The compiler does
not evaluate the condition either: it would have to guess which of two functions is meant.

Define the function once, without a condition, and put the condition into its body.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.checks.sightings import directives
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Place, Program

RULE = Rule(
    code="WF009",
    name="conditional-definition",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import settings

if settings.TEST:
    async def charge(cents: int) -> str:
        "use step"
        return "nothing charged"
""",
    good="""\
import settings


async def charge(cents: int) -> str:
    "use step"
    if settings.TEST:
        return "nothing charged"
    return f"{cents} cents charged"
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each marked function of a module or class under if, try, with, for or
    while. Inside a function anything goes: the call of a nested step comes after its definition."""
    for module, sighting in directives(program):
        function = sighting.function
        if sighting.place is not Place.FUNCTION or function is None:
            continue
        around: list[ast.stmt] = []
        for outer in sighting.enclosing:
            if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
                break
            if not isinstance(outer, ast.ClassDef):
                around.append(outer)
        if around:
            yield RULE.at(
                module,
                function,
                f"The {sighting.kind.value} {function.name} exists only if line "
                f"{around[-1].lineno} lets it, and a run may continue where it does not.",
                "Define it at module level, and put the condition into its body.",
            )

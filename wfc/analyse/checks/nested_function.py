"""A workflow or step defined inside another function.

A run may continue in a process that has never called the outer function, so the inner one must be
found by its name alone. Inside a function it has no name that lasts.

Move it to module level and pass what it used from outside as arguments.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.checks.sightings import directives
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Place, Program

RULE = Rule(
    code="WF005",
    name="nested-function",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
def make_greeter(greeting: str):
    async def greet(name: str) -> str:
        "use step"
        return f"{greeting} {name}"

    return greet
""",
    good="""\
async def greet(greeting: str, name: str) -> str:
    "use step"
    return f"{greeting} {name}"
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each marked function inside a function."""
    for module, sighting in directives(program):
        function = sighting.function
        outer = [
            f for f in sighting.enclosing if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        if sighting.place is Place.FUNCTION and function is not None and outer:
            yield RULE.at(
                module,
                function,
                f"The {sighting.kind.value} {function.name} is defined inside {outer[-1].name}(), "
                f"so a process that never called {outer[-1].name}() could not find it.",
                f"Move {function.name} to module level, and pass what it takes from "
                f"{outer[-1].name}() as arguments.",
            )

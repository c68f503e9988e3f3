"""A directive in a method that has `self` or `cls`.

A step is called by its id with recorded arguments. An instance belongs to one process: it may
hold a connection or a lock, and nothing says how to make it again in another.

Make it a function at module level that takes what it needs as arguments, or a `@staticmethod`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.checks.directive_target import special
from wfc.analyse.checks.sightings import directives
from wfc.analyse.ids import is_static
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Place, Program

RULE = Rule(
    code="WF011",
    name="method",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
class Billing:
    async def charge(self, cents: int) -> int:
        "use step"
        return cents
""",
    good="""\
class Billing:
    @staticmethod
    async def charge(cents: int) -> int:
        "use step"
        return cents
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each marked method that is not static."""
    for module, sighting in directives(program):
        function = sighting.function
        if sighting.place is not Place.FUNCTION or function is None or special(function):
            continue
        match sighting.enclosing:
            case [ast.ClassDef(name=name)] if not is_static(function):
                yield RULE.at(
                    module,
                    function,
                    f"{name}.{function.name} needs an instance or a class to be called on, and a "
                    f"{sighting.kind.value} is called by its id with recorded arguments only.",
                    f"Move {function.name} to module level and pass what it takes from `self` as "
                    "arguments, or make it a @staticmethod.",
                )
            case [ast.ClassDef(), *_, ast.ClassDef(name=name)]:
                yield RULE.at(
                    module,
                    function,
                    f"{name}.{function.name} is in a class inside another class.",
                    f"Move {function.name} to module level.",
                )

"""A directive on something that is not a function of its own.

A directive on a class would mean every method, on a property every access, on an overload or
abstract method nothing that runs. None of these can be called by an id with recorded arguments.

Put the directive into each function that should be a workflow or step, and make it a plain
function.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.sightings import directives
from wfc.analyse.ids import decorator_name
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Function, Place, Program

RULE = Rule(
    code="WF008",
    name="directive-target",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
class Billing:
    "use step"

    @staticmethod
    async def charge(cents: int) -> int:
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

_DECORATORS = {
    "property": "a property",
    "cached_property": "a property",
    "setter": "a property",
    "deleter": "a property",
    "abstractproperty": "a property",
    "overload": "an overload",
    "abstractmethod": "an abstract method",
}


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each directive on a class, property, overload or abstract method."""
    for module, sighting in directives(program):
        words = f'"use {sighting.kind.value}"'
        if sighting.place is Place.CLASS:
            yield RULE.at(
                module,
                sighting.statement,
                f"{words} marks functions, and this is the body of a class.",
                "Put it into each method that should be one, as its first statement.",
            )
        elif sighting.place is Place.FUNCTION and (what := special(sighting.function)):
            yield RULE.at(
                module,
                sighting.function or sighting.statement,
                f"{words} cannot work on {what}: it is not called by name with arguments.",
                "Put it into a plain function.",
            )


def special(function: Function | None) -> str | None:
    """What a decorator makes of a function, where no directive can work; else None."""
    for decorator in function.decorator_list if function is not None else ():
        if (found := _DECORATORS.get(decorator_name(decorator))) is not None:
            return found
    return None

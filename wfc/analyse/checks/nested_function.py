"""A function inside another function, with a directive that cannot work there.

A step may be defined inside a workflow, a helper or a factory: its code is found again by its
name, and the variables it uses travel with each call. For a workflow that is not enough: it starts
on its own, from nothing but its id, and nobody has called the function around it.

In the body of a step there is no workflow that could record a call: the inner function would just
be called.

Move the function to module level, and pass what it takes from outside as arguments.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.checks.sightings import directives
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Kind, Place, Program

RULE = Rule(
    code="WF005",
    name="nested-function",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
def make_onboarding(greeting: str):
    async def onboard(name: str) -> str:
        "use workflow"
        return f"{greeting} {name}"

    return onboard
""",
    good="""\
def make_greeter(greeting: str):
    async def greet(name: str) -> str:
        "use step"
        return f"{greeting} {name}"

    return greet


async def onboard(greeting: str, name: str) -> str:
    "use workflow"
    greet = make_greeter(greeting)
    return await greet(name)
""",
)

_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each nested workflow, and each step inside a step or a local class."""
    steps = {m.node: m for m in program.of(Kind.STEP)}
    for module, sighting in directives(program):
        function = sighting.function
        outer = [f for f in sighting.enclosing if isinstance(f, _FUNCTIONS)]
        if sighting.place is not Place.FUNCTION or function is None or not outer:
            continue
        around = outer[-1].name
        holder = next((steps[f] for f in outer if f in steps), None)
        after = sighting.enclosing[sighting.enclosing.index(outer[0]) :]
        local = [c for c in after if isinstance(c, ast.ClassDef)]
        if sighting.kind is Kind.WORKFLOW:
            yield RULE.at(
                module,
                function,
                f"The workflow {function.name} is defined inside {around}(). A run starts from the "
                f"id of its workflow alone, in a process where nobody has called {around}().",
                f"Move {function.name} to module level, and pass what it takes from "
                f"{around}() as arguments.",
            )
        elif holder is not None:
            yield RULE.at(
                module,
                function,
                f"{function.name} is defined inside the step {holder.name}. A step runs outside "
                f"of the workflow, so a call of {function.name} there is an ordinary call: not "
                "recorded, not retried.",
                f"Remove the directive if that is what you want. Or move {function.name} to module "
                "level and call it from the workflow.",
            )
        elif local:
            yield RULE.at(
                module,
                function,
                f"{function.name} is a method of {local[-1].name}, a class that exists only "
                f"while {outer[0].name}() runs, so no other process can make its instances.",
                f"Move the class {local[-1].name} to module level.",
            )

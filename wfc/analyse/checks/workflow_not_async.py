"""A workflow that is a plain `def`.

A workflow waits: for steps, for sleeps, for people. Waiting is `await`, and that needs `async
def`. Steps may be plain functions; they run in a thread.

Write `async def`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.checks.sightings import directives
from wfc.diagnostics import Diagnostic, Edit, Rule, Severity, Span, exact_span
from wfc.model import Kind, Module, Place, Program, Spelling
from wfc.nodes import walk

RULE = Rule(
    code="WF003",
    name="workflow-not-async",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
def sign_up(email: str) -> str:
    "use workflow"
    return email.lower()
""",
    good="""\
async def sign_up(email: str) -> str:
    "use workflow"
    return email.lower()
""",
)


_CERTAIN = (Spelling.EXACT, Spelling.ALTERED)  # others may not be meant as directives


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each workflow that is not a coroutine function."""
    for module, sighting in directives(program):
        function = sighting.function
        if sighting.kind is not Kind.WORKFLOW or sighting.place is not Place.FUNCTION:
            continue
        if isinstance(function, ast.FunctionDef):
            yield RULE.at(
                module,
                function,
                f"The workflow {function.name} is a plain function, and a workflow has to await "
                "its steps.",
                f"Write `async def {function.name}(...)`.",
                edits=_edits(module, function) if sighting.spelling in _CERTAIN else (),
            )


def _edits(module: Module, function: ast.FunctionDef) -> tuple[Edit, ...]:
    if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in walk(function)):
        return ()  # it would become an asynchronous generator, which is another mistake
    place = exact_span(module, function)
    return (Edit(Span(place.line, place.column, place.line, place.column), "async "),)

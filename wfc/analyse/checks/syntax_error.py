"""A file with a directive that Python cannot read.

Nothing can be said about a file that does not parse, and nothing can be built from it.

Correct the syntax. If the code is for a newer Python, run `wfc build` with that Python.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.diagnostics import Diagnostic, Rule, Severity, Span
from wfc.model import Module, Program

RULE = Rule(
    code="WF012",
    name="syntax-error",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
async def sign_up(email: str) -> str:
    "use workflow"
    return (email
""",
    good="""\
async def sign_up(email: str) -> str:
    "use workflow"
    return email
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each unreadable file."""
    for module in program.modules.values():
        if module.error is not None:
            error = module.error
            column = max(error.column, 1)
            yield RULE.at(
                module,
                Span(error.line, column, error.line, column + 1),
                f"Python cannot read this file: {error.message}.",
                error.fix,
            )


def unknown(module: Module, line: int) -> Diagnostic:
    """The finding for syntax that Python knows and libcst, which rewrites files, does not."""
    return RULE.at(
        module,
        Span(line, 1, line, 2),
        "The installed libcst, which rewrites files for the build, does not know the syntax of "
        "this statement.",
        "Upgrade libcst, or write the statement in an older way.",
    )

"""Workflow code looks into the interpreter.

`globals`, `locals`, `vars`, `dir` and `memoryview` show how the code is held in memory, which is
not the same in the bundle and differs between processes.

Use ordinary attributes, dictionaries and bytes.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.builtin_uses import builtin_uses
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF802",
    name="introspection",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
async def sign_up(email: str) -> dict:
    "use workflow"
    return locals()
""",
    good="""\
async def sign_up(email: str) -> dict:
    "use workflow"
    return {"email": email}
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each use of an introspective builtin."""
    yield from builtin_uses(program, RULE, ("globals", "locals", "vars", "dir", "memoryview"))

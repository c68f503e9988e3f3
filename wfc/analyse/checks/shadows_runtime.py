"""A file or folder of the project that hides the `workflow` package.

Your own `workflow.py` beside the application comes first on Python's path. `from workflow import
sleep` would then read your file, and fail with an error that says nothing about the reason.

Rename it.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF709",
    name="shadows-runtime",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad={
        "workflow.py": """\
async def sign_up(email: str) -> str:
    "use workflow"
    return email
"""
    },
    good={
        "flows.py": """\
async def sign_up(email: str) -> str:
    "use workflow"
    return email
"""
    },
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file that is imported as `workflow`."""
    for module in program.shadows:
        yield RULE.at(
            module,
            1,
            f"{module.path} is imported under the name `workflow` and hides the package that "
            "`from workflow import ...` needs.",
            "Rename it, for example to `workflows`.",
        )

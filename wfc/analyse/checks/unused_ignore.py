"""An ignore comment that silences nothing.

`# wfc: ignore[CODE]` on a line silences that finding there. When the finding is gone, or the code
was never right, the comment would hide the next one. Findings without which nothing can be built,
such as a misspelt directive, cannot be silenced at all.

Remove it.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Ignore, Module, Program

RULE = Rule(
    code="WF099",
    name="unused-ignore",
    severity=Severity.WARNING,
    page=__doc__,
    silenceable=False,
    bad="""\
async def sign_up(email: str) -> str:
    "use workflow"
    return email.lower()  # wfc: ignore[WF301]
""",
    good="""\
async def sign_up(email: str) -> int:
    "use workflow"
    return hash(email)  # wfc: ignore[WF206] whole numbers hash to themselves
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Nothing: what is unused is known when all other findings are, see `unused`."""
    return iter(())


def unused(module: Module, ignore: Ignore, code: str, known: bool) -> Diagnostic:
    """The finding for one code of a comment that silenced nothing."""
    why = "silences nothing here" if known else "is not a code of wfc"
    return RULE.at(
        module,
        ignore.line,
        f"{code or 'An empty list of codes'} {why}.",
        "Remove it from the comment.",
    )

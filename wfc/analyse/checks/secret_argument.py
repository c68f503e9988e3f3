"""A secret crosses into the log.

The arguments of workflows and steps, and what they return, are written to the log of the run and
stay there as long as the run is kept. A `SecretStr` that comes as text is written as that text, in
the clear, before it is made a secret; one that is a secret already cannot be recorded, and the call
fails.

Pass the name under which the secret is kept, and read it in the step that needs it: from the
environment, or from your vault.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.boundary import Found, boundary_of, crossed, required
from wfc.diagnostics import Diagnostic, Rule, Severity, note_at
from wfc.model import Marked, Program

RULE = Rule(
    code="WF914",
    name="secret-argument",
    severity=Severity.WARNING,
    page=__doc__,
    bad="""\
from pydantic import SecretStr


async def publish(text: str, token: SecretStr) -> None:
    "use step"


async def announce(text: str, token: str) -> None:
    "use workflow"
    await publish(text, token)
""",
    good="""\
import os

from pydantic import SecretStr


async def publish(text: str, account: str) -> None:
    "use step"
    token = SecretStr(os.environ[f"TOKEN_{account}"])


async def announce(text: str, account: str) -> None:
    "use workflow"
    await publish(text, account)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each parameter and result that is, or holds, a secret."""
    if not any("Secret" in module.text for module in program.modules.values()):
        return
    boundary = boundary_of(program)
    for marked in crossed(program):
        for parameter in required(marked.node):
            if (found := boundary.secret(marked.module, parameter.annotation)) is not None:
                what = f"{parameter.arg}{found.path} of the {marked.kind} {marked.qualname}"
                yield _finding(marked, parameter, what, found)
        returns = marked.node.returns
        if returns is not None and (found := boundary.secret(marked.module, returns)) is not None:
            what = f"What the {marked.kind} {marked.qualname} returns"
            yield _finding(marked, returns, what, found)


def _finding(marked: Marked, place: ast.AST, what: str, found: Found) -> Diagnostic:
    return RULE.at(
        marked.module,
        place,
        f"{what} is a {found.type}, and what goes in and out is written to the log of the run: as "
        "text it would stand there in the clear, and as a secret it cannot be recorded.",
        found.obstacle.instead,
        [] if found.field is None else [note_at(*found.field, "declared here")],
    )

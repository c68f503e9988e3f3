"""A workflow starts a run with options that a child cannot have.

`await start(other, ...)` from `workflow.api` works in workflow code: the other run is a child of
this one, is created together with the decision to start it, and can be awaited. Its id follows
from that of this run, so that every replay finds the same child, and it is there exactly once.
So `run_id`, `idempotency_key` and `connection` have nothing to say here: a run that somebody else
made under the id or the key would never tell this one how it ended. `with_options` raises for them.

Leave the option out. `attributes` and `delay` work. If the run must have an id or a key of its own,
start it in a function marked `"use step"`; then it is no child, and the workflow gets its id only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import External, Program

RULE = Rule(
    code="WF518",
    name="start-in-workflow",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
from workflow.api import with_options


async def remind(email: str) -> None:
    "use workflow"


async def sign_up(email: str) -> None:
    "use workflow"
    await with_options(idempotency_key=email).start(remind, email)
""",
    good="""\
from workflow.api import with_options


async def remind(email: str) -> None:
    "use workflow"


async def sign_up(email: str) -> None:
    "use workflow"
    await with_options(attributes={"email": email}).start(remind, email)
""",
)

_REFUSED = ("run_id", "idempotency_key", "connection")


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each such option in workflow code."""
    for module, node in program.workflow_code():
        if not isinstance(node, ast.Call):
            continue
        meaning = program.reach.meaning.get(node.func)
        if not isinstance(meaning, External) or str(meaning) != "workflow.api.with_options":
            continue
        for keyword in node.keywords:
            if keyword.arg in _REFUSED:
                yield RULE.at(
                    module,
                    keyword,
                    f"A run that workflow code starts cannot have {keyword.arg}=: it is a child of "
                    "this run, and its id follows from this one's, so that a replay finds it.",
                    'Leave it out, or start the run in a function marked "use step".',
                )

"""A workflow that calls another workflow like a function.

A workflow is started, not called: `start()` gives it a run with an id, a log and a status, and
the run goes on whatever happens to the process. Called like a function it would have none of
these, so the call raises.

If the code should be part of this run, put what both need into an async function without a
directive. If it should be a run of its own, start it with `start` from `workflow.api`:
`run = await start(other, ...)` makes it a child of this run, and `await run` waits for its result.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Kind, Marked, Program

RULE = Rule(
    code="WF515",
    name="workflow-called",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
async def remind(email: str) -> None:
    "use workflow"


async def sign_up(email: str) -> None:
    "use workflow"
    await remind(email)
""",
    good='''\
async def remind(email: str) -> None:
    """Part of a workflow, not one itself."""


async def sign_up(email: str) -> None:
    "use workflow"
    await remind(email)
''',
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each direct call of a workflow in workflow code."""
    for module, node in program.workflow_code():
        if isinstance(node, ast.Call):
            match program.reach.meaning.get(node.func):
                case Marked(kind=Kind.WORKFLOW, qualname=name):
                    yield RULE.at(
                        module,
                        node,
                        f"{name} is a workflow and needs a run of its own; called like a function "
                        "it raises.",
                        "Move what both need into an async function without a directive and await "
                        "that.\nFor a run of its own, write "
                        f"`await (await start({name}, ...))` with start from workflow.api.",
                    )

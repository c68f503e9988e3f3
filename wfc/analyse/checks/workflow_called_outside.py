"""The application calls a workflow like a function.

A workflow is started, not called: `start()` gives it a run with an id, a log and a status, and
the run goes on whatever happens to the process. Where the build is loaded, a direct call raises
`DirectCallError`. Elsewhere, such as in a test that never loaded it, the body runs as plain code:
its steps do their work, nothing is recorded, and the first `sleep()` raises.

Write `run = await start(workflow, ...)` with `start` from `workflow.api`. `await run.return_value`
waits for the result; `workflow.sync` has the same for code that is not async. To test the steps
alone, call them: they are ordinary functions.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.names import ProjectName, by_place
from wfc.analyse.types import types_of
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Kind, Marked, Module, Program
from wfc.nodes import walk

RULE = Rule(
    code="WF519",
    name="workflow-called-outside",
    severity=Severity.WARNING,
    page=__doc__,
    bad="""\
async def sign_up(email: str) -> str:
    "use workflow"
    return email.lower()


async def post_sign_up(email: str) -> str:
    return await sign_up(email)
""",
    good="""\
from workflow.api import start


async def sign_up(email: str) -> str:
    "use workflow"
    return email.lower()


async def post_sign_up(email: str) -> str:
    run = await start(sign_up, email)
    return await run.return_value
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each direct call of a workflow outside of workflow code."""
    calls = list(_calls(program))
    inside = {node for _, node in program.workflow_code()} if calls else set()
    for module, call, name in calls:
        if call not in inside:
            yield RULE.at(
                module,
                call,
                f"{name} is a workflow and needs a run of its own; called like a function it "
                "raises DirectCallError.",
                f"Write `run = await start({name}, ...)`, with `start` from workflow.api; "
                "`await run.return_value` waits for the result.",
            )


def _calls(program: Program) -> Iterator[tuple[Module, ast.Call, str]]:
    """Every call of a workflow in the files that were read, with the workflow's name."""
    workflows = {
        place: m for place, m in by_place(program.marked).items() if m.kind is Kind.WORKFLOW
    }
    last = {m.qualname.rpartition(".")[2] for m in workflows.values()}
    types = types_of(program)
    for module in program.modules.values():
        nodes = list(walk(module.tree)) if any(name in module.text for name in last) else []
        renamed = _renamed(nodes, last)
        for node in nodes:
            match node:
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                    if name not in last and name not in renamed:
                        continue
                    match types.target(module, node.func):
                        case ProjectName(key=(home, top), rest=rest):
                            found: Marked | None = workflows.get((home, ".".join([top, *rest])))
                            if found is not None:
                                yield module, node, found.qualname


def _renamed(nodes: list[ast.AST], names: set[str]) -> set[str]:
    """Under which other names a module imports one of `names`."""
    return {
        alias.asname
        for node in nodes
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname and alias.name in names
    }

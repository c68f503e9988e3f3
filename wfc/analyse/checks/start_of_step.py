"""A step is started like a workflow.

`start()` begins a run, and a run is one execution of a workflow. A step has no run of its own: it
is called by a workflow, which records what it returned.

Call the step directly where you want it done at once, as the plain function that it is. To have it
retried and recorded, write a workflow that awaits it, and start that.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from wfc.analyse.names import ProjectName, by_place
from wfc.analyse.runtime_calls import starts
from wfc.analyse.types import Types, types_of
from wfc.diagnostics import Diagnostic, Rule, Severity, note_at
from wfc.model import Kind, Marked, Module, Program

RULE = Rule(
    code="WF517",
    name="start-of-step",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
from workflow.api import start


async def send_mail(email: str) -> None:
    "use step"


async def sign_up(email: str) -> None:
    "use workflow"
    await send_mail(email)


async def handle_request(email: str) -> None:
    await start(send_mail, email)
""",
    good="""\
from workflow.api import start


async def send_mail(email: str) -> None:
    "use step"


async def sign_up(email: str) -> None:
    "use workflow"
    await send_mail(email)


async def handle_request(email: str) -> None:
    await start(sign_up, email)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each start() of a step, anywhere in the files that are read."""
    types = types_of(program)
    places = by_place(program.marked)
    for module in program.modules.values():
        for node in starts(program, module):
            step = _step(types, places, module, node.args[0])
            if step is not None:
                is_async = isinstance(step.node, ast.AsyncFunctionDef)
                call = f"{'await ' if is_async else ''}{ast.unparse(node.args[0])}(...)"
                yield RULE.at(
                    module,
                    node,
                    f"{step.name} is a step, and start() begins a run of a workflow.",
                    f"Call `{call}` directly, or write a workflow that awaits it and start that.",
                    [note_at(step.module, step.sighting.statement, "marked as a step")],
                )


def _step(
    types: Types, places: Mapping[tuple[str, str], Marked], module: Module, node: ast.expr
) -> Marked | None:
    match types.target(module, node):
        case ProjectName(key=(home, name), rest=rest):
            found = places.get((home, ".".join([name, *rest])))
            return found if found is not None and found.kind is Kind.STEP else None
    return None

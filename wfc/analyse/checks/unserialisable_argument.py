"""A step or a workflow gets an argument that cannot be recorded.

The arguments of a step are written to the log, so that any worker can run it, now or after a
crash; the arguments of a workflow are written down when the run is started. A lambda, a lock, an
open connection or file is tied to one process; there is nothing to write down.

Pass data: a list instead of a generator, the values a lambda would use instead of the lambda, the
path instead of the file, the address instead of the connection. A class of your own can be passed
when it is a dataclass or a pydantic model, or has `__workflow_serialize__`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.boundary import Boundary, Found, Obstacle, boundary_of, crossed, required
from wfc.diagnostics import Diagnostic, Rule, Severity, note_at
from wfc.model import Kind, Marked, Module, Program

RULE = Rule(
    code="WF901",
    name="unserialisable-argument",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
async def keep(items: list, test) -> list:
    "use step"
    return [i for i in items if test(i)]


async def clean(items: list) -> list:
    "use workflow"
    return await keep(items, lambda i: i > 0)
""",
    good="""\
async def keep(items: list, least: int) -> list:
    "use step"
    return [i for i in items if i > least]


async def clean(items: list) -> list:
    "use workflow"
    return await keep(items, 0)
""",
)

_LAMBDA = Obstacle(
    "a lambda, which is code", "Pass the values it would use, and do the computing in the step."
)
_GENERATOR = Obstacle("a generator, which is gone once it is read", "Pass a list: `[... for ...]`.")


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each parameter of such a type, and for each such value in a call."""
    boundary = boundary_of(program)
    spoken: set[str] = set()
    for marked in crossed(program):
        for parameter in required(marked.node):
            found = boundary.refused(marked.module, parameter.annotation)
            if found is not None and not found.obstacle.from_data:
                spoken.add(marked.id)
                yield _parameter(marked, parameter, found)
    for module, node in program.workflow_code():
        if not isinstance(node, ast.Call):
            continue
        match program.reach.meaning.get(node.func):
            case Marked(kind=Kind.STEP, qualname=name, id=step_id) if step_id not in spoken:
                for value in [*node.args, *(k.value for k in node.keywords)]:
                    if (obstacle := _of_value(boundary, module, value)) is not None:
                        yield RULE.at(
                            module,
                            value,
                            f"The arguments of the step {name} are recorded, and this cannot be: "
                            f"it is {obstacle.why}.",
                            obstacle.instead,
                        )


def _of_value(boundary: Boundary, module: Module, value: ast.expr) -> Obstacle | None:
    match value:
        case ast.Lambda():
            return _LAMBDA
        case ast.GeneratorExp():
            return _GENERATOR
        case ast.Name():
            # Of what is made in the call itself, an un-awaited call has a rule of its own.
            found = boundary.of_value(module, value)
            return found.obstacle if found is not None and found.type != "coroutine" else None
    return None


def _parameter(marked: Marked, parameter: ast.arg, found: Found) -> Diagnostic:
    notes = [] if found.field is None else [note_at(*found.field, "declared here")]
    where = f"its {parameter.arg}{found.path} is" if found.path else "it is"
    return RULE.at(
        marked.module,
        parameter,
        f"The arguments of the {marked.kind} {marked.qualname} are recorded, and {parameter.arg} "
        f"cannot be: {where} {found.type}, {found.obstacle.why}.",
        found.obstacle.instead,
        notes,
    )

"""A step gets an argument that cannot be recorded.

The arguments of a step are written to the log, so that any worker can run it, now or after a
crash. A lambda or a generator is code that is tied to this process; there is nothing to write
down.

Pass data: a list instead of a generator, the values a lambda would use instead of the lambda.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Kind, Marked, Program

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

_KINDS = {
    ast.Lambda: ("a lambda", "Pass the values it would use, and do the computing in the step."),
    ast.GeneratorExp: ("a generator", "Pass a list: `[... for ...]`."),
}


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each lambda or generator in a call of a step."""
    for module, node in program.workflow_code():
        if not isinstance(node, ast.Call):
            continue
        match program.reach.meaning.get(node.func):
            case Marked(kind=Kind.STEP, qualname=name):
                for value in [*node.args, *(k.value for k in node.keywords)]:
                    if type(value) in _KINDS:
                        what, instead = _KINDS[type(value)]
                        yield RULE.at(
                            module,
                            value,
                            f"The arguments of the step {name} are recorded, and {what} cannot be.",
                            instead,
                        )

"""Steps without end and without a pause.

Every step of a run is written to its log, and a worker that takes the run over reads the log from
the start. A loop that calls one step after the other and never ends makes a log that grows as fast
as the steps are done, until the run cannot be moved any more.

Put a pause in the loop if it watches something (`await sleep("1 minute")`, or a hook). If it works
through something, end the loop after a number of rounds and start the next run from a step.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.awaiting import parents_of
from wfc.analyse.functions import (
    catches,
    exits,
    functions,
    is_always_true,
    is_step_call,
    own_nodes,
)
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF510",
    name="history-growth",
    severity=Severity.WARNING,
    page=__doc__,
    bad="""\
async def poll(url: str) -> None:
    "use step"


async def watch(url: str) -> None:
    "use workflow"
    while True:
        await poll(url)
""",
    good="""\
from workflow import sleep


async def poll(url: str) -> None:
    "use step"


async def watch(url: str) -> None:
    "use workflow"
    while True:
        await poll(url)
        await sleep("1 minute")
""",
)

_OTHER_WAITS = ast.AsyncFor | ast.AsyncWith


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each endless loop that awaits steps and nothing else."""
    for module, function, nodes in functions(program):
        for node in nodes:
            if (
                isinstance(node, ast.While)
                and is_always_true(node.test)
                and _awaits_steps_only(program, node)
                and not exits(node)
                and not catches(parents_of(function, frozenset()), node)
            ):
                yield RULE.at(
                    module,
                    node,
                    "This loop calls steps without end and without a pause, and each of them is "
                    "written to the log of the run.",
                    'Put `await sleep("1 minute")` or a hook into it, or end it after a number of '
                    "rounds and start the next run from a step.",
                )


def _awaits_steps_only(program: Program, loop: ast.While) -> bool:
    inside = list(own_nodes(loop.body))
    waits = [node.value for node in inside if isinstance(node, ast.Await)]
    return (
        bool(waits)
        and all(is_step_call(program, call) for call in waits)
        and not any(isinstance(node, _OTHER_WAITS) for node in inside)
    )

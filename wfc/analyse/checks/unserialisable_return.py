"""A step or a workflow returns something that cannot be recorded.

What a step returns is written to the log. When the run goes on later, perhaps in another process,
the workflow takes it from there and the step does not run again. What a workflow returns is written
down for whoever started it. An open connection, a response of a client, a lock or an iterator is
tied to one process; there is nothing to write down.

Return data: what you need of a response instead of the response, a list instead of an iterator, the
rows instead of the cursor. Text, numbers, lists, dictionaries, dates, `Decimal`, `UUID`, enums,
dataclasses and pydantic models can be recorded, also inside each other; plain classes cannot.

The build finds this where an annotation or the value itself shows it. Elsewhere the run fails with
`SerializationError` when it gets there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.boundary import Found, boundary_of, crossed
from wfc.analyse.externals import refusal
from wfc.analyse.functions import own_nodes
from wfc.analyse.recordable import unrecordable
from wfc.diagnostics import Diagnostic, Rule, Severity, note_at
from wfc.model import External, Marked, Program

RULE = Rule(
    code="WF902",
    name="unserialisable-return",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
import sqlite3


async def connect(path: str) -> sqlite3.Connection:
    "use step"
    return sqlite3.connect(path)


async def report(path: str) -> None:
    "use workflow"
    await connect(path)
""",
    good="""\
import sqlite3


async def count_orders(path: str) -> int:
    "use step"
    with sqlite3.connect(path) as connection:
        return connection.execute("SELECT count(*) FROM orders").fetchone()[0]


async def report(path: str) -> int:
    "use workflow"
    return await count_orders(path)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each result type of which no value can be recorded, and for each
    returned value that shows it."""
    boundary = boundary_of(program)
    for marked in crossed(program):
        returns = marked.node.returns
        nodes = list(own_nodes(marked.node.body))
        if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in nodes):
            continue  # a generator has a rule of its own
        found = None if returns is None else boundary.refused(marked.module, returns)
        if returns is not None and found is not None:
            yield _finding(marked, returns, found)
        elif _is_plain(program, marked):
            for node in nodes:
                if isinstance(node, ast.Return) and node.value is not None:
                    for part, why in unrecordable(boundary, marked.module, node.value):
                        if not _is_refused(program, part):
                            yield _finding(marked, part, why)


def _is_refused(program: Program, part: ast.expr) -> bool:
    """Whether workflow code has no business with what is called, which other rules speak about."""
    called = program.reach.meaning.get(part.func) if isinstance(part, ast.Call) else None
    return isinstance(called, External) and refusal(called, program.passthrough) is not None


def _is_plain(program: Program, marked: Marked) -> bool:
    """Whether what the body returns is the result: a decorator may make something else of it."""
    decorators = marked.node.decorator_list
    return all(program.decorators.get(d, "") in _HARMLESS for d in decorators)


_HARMLESS = ("classmethod", "staticmethod", "workflow.step_options")


def _finding(marked: Marked, returns: ast.expr, found: Found) -> Diagnostic:
    notes = [] if found.field is None else [note_at(*found.field, "declared here")]
    where = f"its {found.path.lstrip('.')} is" if found.path else "it is"
    return RULE.at(
        marked.module,
        returns,
        f"The result of the {marked.kind} {marked.qualname} is recorded, and this one cannot be: "
        f"{where} {found.type}, {found.obstacle.why}.",
        found.obstacle.instead,
        notes,
    )

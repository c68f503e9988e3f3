"""A step or a workflow returns something that cannot be recorded.

What a step returns is written to the log, and a replay takes it from there instead of running the
step again. What a workflow returns is written down for whoever started it. An open connection, a
lock or an iterator is tied to one process; there is nothing to write down.

Return data: a list instead of an iterator, what you need of a response instead of the response.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.boundary import Found, boundary_of, crossed
from wfc.analyse.functions import own_nodes
from wfc.diagnostics import Diagnostic, Rule, Severity, note_at
from wfc.model import Marked, Program

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
    """Yield a finding for each result type of which no value can be recorded."""
    boundary = boundary_of(program)
    for marked in crossed(program):
        returns = marked.node.returns
        if returns is None or any(
            isinstance(node, ast.Yield | ast.YieldFrom) for node in own_nodes(marked.node.body)
        ):
            continue  # a generator has a rule of its own
        found = boundary.refused(marked.module, returns)
        if found is not None:
            yield _finding(marked, returns, found)


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

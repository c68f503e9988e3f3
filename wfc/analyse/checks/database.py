"""Workflow code talks to a database.

A workflow body runs again at every replay. It would ask the database again and get what is in it by
then, and it would write again what it has written before.

Put the query into a function marked `"use step"` and await it: the rows it returns are recorded.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF304",
    name="database",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
import sqlite3


async def count_users() -> int:
    "use workflow"
    with sqlite3.connect("app.db") as db:
        return db.execute("select count(*) from users").fetchone()[0]
""",
    good="""\
import sqlite3


async def read_count() -> int:
    "use step"
    with sqlite3.connect("app.db") as db:
        return db.execute("select count(*) from users").fetchone()[0]


async def count_users() -> int:
    "use workflow"
    return await read_count()
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)

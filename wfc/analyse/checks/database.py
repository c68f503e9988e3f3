"""Workflow code talks to a database.

When a run goes on after a crash or a long sleep, the function of the workflow starts again at its
first line. A query there would find what is in the database by then, which may be something else.
An insert would insert again.

Put the query into a function marked `"use step"` and return what you need of the rows, as numbers,
text, dictionaries or dataclasses. They are written down, and later passes take them from there. If
the process dies between the commit and the writing down, the step runs again: write so that the
second time does no harm, say with `INSERT … ON CONFLICT DO NOTHING`.
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
    silenceable=False,
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

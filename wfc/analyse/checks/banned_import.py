"""Workflow code uses a part of Python that cannot be replayed.

A workflow is replayed from its log: after a crash, a deploy or a long sleep its body runs again
from the start, and every step gives its recorded result. It can have what gives the same answer
each time, such as `json`, `re`, `decimal` or `asyncio`. What reaches into the interpreter or the
machine is not there.

Move the call into a function marked `"use step"` and await it. An import that only steps use is no
problem: it is left out of the workflow's code.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF701",
    name="banned-import",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import pickle


async def price(data: bytes) -> int:
    "use workflow"
    return pickle.loads(data)["price"]
""",
    good="""\
import json


async def price(data: bytes) -> int:
    "use workflow"
    return json.loads(data)["price"]
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)

"""Workflow code uses a package that is compiled.

Your own modules are read and checked before they run in a workflow. A compiled package cannot be
read: it may keep state, start threads or ask the machine, and nobody would see it until a replay
goes wrong.

Use it in a function marked `"use step"` and return plain data. If you know that what you call only
computes, name the package in `pyproject.toml`: `[tool.workflow] passthrough = ["package"]`.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF707",
    name="c-extension",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import orjson


async def price(data: bytes) -> int:
    "use workflow"
    return orjson.loads(data)["price"]
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

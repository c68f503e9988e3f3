"""Workflow code talks to the network.

A workflow is replayed from its log: after a crash, a deploy or a long sleep its body runs again
from the start, and every step gives its recorded result. A request made in the body itself would be
made again each time, with another answer.

Put the request into a function marked `"use step"` and await it: it is sent once, retried when it
fails, and its result is recorded. The import may stay where it is; what only steps use is left out
of the workflow's code.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF302",
    name="network",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
import requests


async def price(item: str) -> int:
    "use workflow"
    return requests.get(f"https://shop.example/{item}").json()["price"]
""",
    good="""\
import requests


async def fetch_price(item: str) -> int:
    "use step"
    return requests.get(f"https://shop.example/{item}").json()["price"]


async def price(item: str) -> int:
    "use workflow"
    return await fetch_price(item)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)

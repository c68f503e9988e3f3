"""Workflow code uses a module that cannot be replayed.

A workflow is replayed from its log: after a crash, a deploy or a long sleep its body runs again
from the start, and every step gives its recorded result. Whatever goes out to the network, the
file system, other threads or the machine would happen again, with another answer.

Move the call into a function marked `"use step"` and await it. An import that only steps use is
no problem: it is left out of the workflow's code.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.use_notes import notes_for
from wfc.analyse.externals import Reason, refused
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF701",
    name="banned-import",
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
    """Yield a finding for each function of workflow code and banned module it uses."""
    for reference, refusal in refused(program, Reason.BANNED):
        why, instead = refusal.why
        yield RULE.at(
            reference.module,
            reference.node,
            f"Workflow code cannot use {reference.target}. {why}",
            instead,
            notes_for(program, reference),
        )

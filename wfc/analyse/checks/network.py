"""Workflow code talks to the network.

When a run goes on after a crash or a long sleep, the function of the workflow starts again at its
first line, perhaps on another machine. A request made there would be sent again each time, and get
another answer each time.

Put the request into a function marked `"use step"` and await it. It is sent, its answer is written
down, and later passes take the answer from there. If it fails, or the process dies before the
answer is written down, it is sent again. So where twice does harm, as with a payment, pass the
service an idempotency key: `get_step_metadata().step_id` is the same at every try.

For a plain request you need no step of your own: `await fetch(url)` with `from workflow import
fetch` is one.

The import may stay at the top of the file. What only steps use is left out of the workflow's code.
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
    silenceable=False,
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

"""Workflow code talks to the network with an asynchronous client.

A workflow looks like any `async def`, and awaiting a client looks harmless. But the function starts
again at its first line whenever the run goes on, and would send the request again. That is why the
event loop it runs on has no network at all.

For a plain request, `await fetch(url)` with `from workflow import fetch`: it is a step, so it is
sent, its answer is written down, and later passes take the answer from there. An answer such as 404
is no error, so look at `ok` or `status` before you read the body. For everything else, put the
client into a function marked `"use step"`.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF303",
    name="async-network",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import httpx


async def price(item: str) -> int:
    "use workflow"
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"https://shop.example/{item}")
    return answer.json()["price"]
""",
    good="""\
from workflow import FatalError, fetch


async def price(item: str) -> int:
    "use workflow"
    answer = await fetch(f"https://shop.example/{item}")
    if not answer.ok:
        raise FatalError(f"no price for {item}: the shop answered {answer.status}")
    return (await answer.json())["price"]
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)

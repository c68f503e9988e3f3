"""Workflow code talks to the network with an asynchronous client.

A workflow looks like any `async def`, but the event loop it runs on has no sockets: all it does is
bring the recorded results in the recorded order. A request in the body could neither be sent nor be
replayed.

For a plain request there is `from workflow import fetch`: it is a step, and `await fetch(url)`
works in a workflow. For anything else, put the client into a function marked `"use step"`.
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
    bad="""\
import httpx


async def price(item: str) -> int:
    "use workflow"
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"https://shop.example/{item}")
    return answer.json()["price"]
""",
    good="""\
from workflow import fetch


async def price(item: str) -> int:
    "use workflow"
    answer = await fetch(f"https://shop.example/{item}")
    return (await answer.json())["price"]
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)

"""Workflow code uses a part of Python that the sandbox does not run.

Workflow code runs in a sandbox, which lets through what comes to the same result when the code runs
again later, on another machine. It refused this line; the message says which construct it was.
Mostly it is one that reaches around the names and attributes of the code, and hardly ever the only
way.

Write the line with ordinary names, attributes and calls. Or move the function that needs it into a
step, where all of Python works. If you think the line is ordinary code, please report it: then the
sandbox is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.diagnostics import Diagnostic, Rule, Severity, Span
from wfc.model import Module, Program

RULE = Rule(
    code="WF811",
    name="not-in-sandbox",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
class Plan:
    def cents(self) -> int:
        return 900


class Pro(Plan):
    def cents(self) -> int:
        above = super
        return 2 * above().cents()


async def price() -> int:
    "use workflow"
    return Pro().cents()
""",
    good="""\
class Plan:
    def cents(self) -> int:
        return 900


class Pro(Plan):
    def cents(self) -> int:
        return 2 * super().cents()


async def price() -> int:
    "use workflow"
    return Pro().cents()
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Nothing: the sandbox is asked about the finished text, see `refusals`."""
    return iter(())


def refusals(module: Module, found: list[tuple[int, int, str]]) -> Iterator[Diagnostic]:
    """Findings from what the sandbox said about a module's workflow code, as (line, column,
    why)."""
    for line, column, why in found:
        text = module.lines[line - 1] if 0 < line <= len(module.lines) else ""
        start = min(max(column, 1), len(text) + 1)
        what, _, instead = why.removesuffix(".").partition("; ")
        if instead.startswith(("read ", "write ")):
            fix = f"{instead[0].upper()}{instead[1:]}."
        else:
            what = why.removesuffix(".")
            fix = 'Write it another way, or move it into a function marked "use step".'
        yield RULE.at(
            module,
            Span(line, start, line, max(len(text.rstrip()) + 1, start + 1)),
            f"The sandbox for workflow code does not take this: {what}.",
            fix,
        )

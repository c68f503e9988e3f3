"""Workflow code uses a part of Python that the sandbox does not run.

Workflow code runs in a sandbox that lets through what a replay can repeat and what cannot reach
around it. Most of what it refuses has a rule of its own with words of its own; this one repeats
what the sandbox said about the rest.

Write it another way, or move it into a function marked `"use step"`, where all of Python works.
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
        yield RULE.at(
            module,
            Span(line, start, line, max(len(text.rstrip()) + 1, start + 1)),
            f"The sandbox for workflow code does not take this: {why.removesuffix('.')}.",
            'Write it another way, or move it into a function marked "use step".',
        )

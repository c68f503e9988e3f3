"""Workflow code imports a module whose name is only known when it runs.

The compiler follows every name a workflow uses, checks what is behind it and takes it along. It
cannot follow a name that is computed, and at run time only what was taken along is there.

Write an import statement. To choose among several, import them all and keep them in a dict.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF704",
    name="dynamic-import",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import importlib


async def total(plugin: str, cents: int) -> int:
    "use workflow"
    return importlib.import_module(plugin).total(cents)
""",
    good="""\
def with_tax(cents: int) -> int:
    return cents * 6 // 5


def without_tax(cents: int) -> int:
    return cents


PLUGINS = {"tax": with_tax, "plain": without_tax}


async def total(plugin: str, cents: int) -> int:
    "use workflow"
    return PLUGINS[plugin](cents)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each use of `__import__`, and for each file and such name."""
    yield from banned(program, RULE)

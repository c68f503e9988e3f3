"""Workflow code uses a container that forgets.

What is in a `WeakSet` or a `WeakValueDictionary` disappears when the garbage collector runs. When
that is depends on everything else in the process, so a replay would find another content.

Use a list, a dict or a set.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF410",
    name="weak-collection",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import weakref


async def count(names: list[str]) -> int:
    "use workflow"
    seen = weakref.WeakValueDictionary()
    return len(seen)
""",
    good="""\
async def count(names: list[str]) -> int:
    "use workflow"
    seen = dict.fromkeys(names)
    return len(seen)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each file and such name that workflow code uses."""
    yield from banned(program, RULE)

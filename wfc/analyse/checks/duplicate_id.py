"""Two functions with one id.

The id of a workflow or step is its file and its name, and the log of every run refers to it. When
a name is defined twice, Python keeps the last one and the log could mean either.

Rename one of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.diagnostics import Diagnostic, Rule, Severity, note_at
from wfc.model import Marked, Program

RULE = Rule(
    code="WF006",
    name="duplicate-id",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
async def charge(cents: int) -> int:
    "use step"
    return cents


async def charge(cents: int, currency: str) -> int:
    "use step"
    return cents
""",
    good="""\
async def charge(cents: int) -> int:
    "use step"
    return cents


async def charge_in(cents: int, currency: str) -> int:
    "use step"
    return cents
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each definition after the first."""
    first: dict[tuple[str, str], Marked] = {}
    for marked in program.marked:
        earlier = first.setdefault((marked.module.path, marked.qualname), marked)
        if earlier is not marked:
            yield RULE.at(
                marked.module,
                marked.node,
                f"{marked.qualname} is defined twice, and the id {marked.id} could mean either.",
                "Rename one of them.",
                [note_at(earlier.module, earlier.node, "the other definition")],
            )

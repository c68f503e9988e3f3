"""Workflow code uses a name that its module does not offer inside a workflow.

Inside a workflow, modules such as `asyncio`, `time` or `datetime` are replaced by versions that
replay. They offer the names that can be replayed and no others; `asyncio.to_thread`, for
instance, starts a thread, and no replay can repeat what it does.

Use another function of the module, or move the call into a function marked `"use step"`.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.use_notes import notes_for
from wfc.analyse.externals import Reason, refused
from wfc.analyse.modules import facades, suggest
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF710",
    name="unlisted-member",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
import asyncio


def resize(path: str) -> str:
    return path


async def thumbnail(path: str) -> str:
    "use workflow"
    return await asyncio.to_thread(resize, path)
""",
    good="""\
def resize(path: str) -> str:
    "use step"
    return path


async def thumbnail(path: str) -> str:
    "use workflow"
    return await resize(path)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each function of workflow code and unlisted name it uses."""
    for reference, refusal in refused(program, Reason.UNLISTED):
        target = reference.target
        close = suggest(target.member or "", facades().get(target.module, ()))
        why, instead = refusal.why
        yield RULE.at(
            reference.module,
            reference.node,
            f"{target.module}.{target.member} is not available in workflow code. {why}",
            f"Did you mean {target.module}.{close}?" if close else instead,
            notes_for(program, reference),
        )

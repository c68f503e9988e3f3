"""Workflow code uses an installed package that the compiler knows nothing about.

Only code that a replay can repeat may run in a workflow. The standard modules that can are known,
your own modules are checked; a package from elsewhere is neither.

Move the call into a function marked `"use step"` and await it. If you have read the package and
it only computes, name it in `pyproject.toml`: `[tool.workflow] passthrough = ["package"]`.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.use_notes import notes_for
from wfc.analyse.externals import Reason, refused
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program, Reference

RULE = Rule(
    code="WF702",
    name="unknown-import",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
import phonenumbers


async def sign_up(phone: str) -> bool:
    "use workflow"
    return phonenumbers.is_valid_number(phonenumbers.parse(phone))
""",
    good="""\
import phonenumbers


async def is_valid(phone: str) -> bool:
    "use step"
    return phonenumbers.is_valid_number(phonenumbers.parse(phone))


async def sign_up(phone: str) -> bool:
    "use workflow"
    return await is_valid(phone)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each function of workflow code and unknown package it uses."""
    for reference, refusal in refused(program, Reason.UNKNOWN):
        package = reference.target.module.partition(".")[0]
        if package == "workflow":
            yield _ours(program, reference)
            continue
        yield RULE.at(
            reference.module,
            reference.node,
            f"{reference.target.module} is not part of this project and not known to give the same "
            "result when a workflow is replayed.",
            f"{refusal.why[1]}\nIf it only computes, add it to pyproject.toml: "
            f'[tool.workflow] passthrough = ["{package}"].',
            notes_for(program, reference),
        )


def _ours(program: Program, reference: Reference) -> Diagnostic:
    return RULE.at(
        reference.module,
        reference.node,
        f"{reference.target} is for applications: it talks to the database, and a replay would do "
        "that again. Workflow code imports from `workflow` itself.",
        'Call it in a function marked "use step" and await that here.',
        notes_for(program, reference),
    )

"""Workflow code uses an installed package that the compiler knows nothing about.

The body of a workflow runs again from the start whenever its run goes on, and has to do the same
each time. Of the standard modules the compiler knows which can be used like that, and your own
modules it reads. A package from elsewhere may look at the clock, the network or a file, and nobody
has told the compiler that it does not.

Move the call into a function marked `"use step"` and await it: steps may use any package. If you
have read the package and it only computes, name it in `pyproject.toml`:
`[tool.workflow] passthrough = ["package"]`.
"""

from __future__ import annotations

from collections.abc import Iterator

from wfc.analyse.checks.use_notes import also_notes, notes_for
from wfc.analyse.externals import Refused, refused
from wfc.diagnostics import Diagnostic, Note, Rule, Severity
from wfc.model import Program

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
    """Yield a finding for each file and unknown package that workflow code uses."""
    for use in refused(program, RULE.code):
        if use.refusal.thing == "workflow":
            yield _ours(program, use)
            continue
        yield RULE.at(
            use.first.module,
            use.first.node,
            f"The compiler knows nothing about {use.first.target.module}. Workflow code runs again "
            "from the start whenever its run goes on, and this package may not do the same then.",
            f"{use.refusal.instead}\nIf it only computes, add it to pyproject.toml: "
            f'[tool.workflow] passthrough = ["{use.refusal.thing}"].',
            _notes(program, use),
        )


def _ours(program: Program, use: Refused) -> Diagnostic:
    return RULE.at(
        use.first.module,
        use.first.node,
        f"{use.first.target} is for applications: it talks to the database, and a replay would do "
        "that again. Workflow code imports from `workflow` itself, and of workflow.api only start, "
        "with_options and Run.",
        'Call it in a function marked "use step" and await that here.',
        _notes(program, use),
    )


def _notes(program: Program, use: Refused) -> list[Note]:
    return [*notes_for(program, use.first), *also_notes(use.others)]

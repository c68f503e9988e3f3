"""A file with directives that no import statement can name.

Steps run from your own modules, which the worker imports by name. A folder or file whose name is
not a Python name cannot be imported.

Rename it: letters, digits and underscores, not starting with a digit, and no Python keyword.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterator

from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Program

RULE = Rule(
    code="WF013",
    name="unimportable-path",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad={
        "sign-up.py": """\
async def sign_up(email: str) -> str:
    "use workflow"
    return email
"""
    },
    good={
        "sign_up.py": """\
async def sign_up(email: str) -> str:
    "use workflow"
    return email
"""
    },
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each such file."""
    for module in {m.module.name: m.module for m in program.marked}.values():
        parts = module.name.split(".")
        wrong = [p for p in parts if not p.isidentifier() or keyword.iskeyword(p)]
        if wrong:
            yield RULE.at(
                module,
                1,
                f"A worker has to import {module.path}, and {wrong[0]!r} is not a name that an "
                "import statement can hold.",
                "Rename it with letters, digits and underscores only.",
            )

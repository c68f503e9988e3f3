"""What the rules about builtin functions share."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from wfc.analyse.checks.use_notes import notes_for
from wfc.analyse.modules import BANNED_BUILTINS
from wfc.diagnostics import Diagnostic, Rule
from wfc.model import Program

__all__ = ["builtin_uses"]


def builtin_uses(program: Program, rule: Rule, names: Collection[str]) -> Iterator[Diagnostic]:
    """A finding of `rule` for each use of one of the builtins in workflow code."""
    for reference in program.reach.references:
        name = reference.target.member
        if reference.target.module == "builtins" and name is not None and name in names:
            why, instead = BANNED_BUILTINS[name]
            yield rule.at(
                reference.module,
                reference.node,
                f"Workflow code cannot use {name}(). {why}",
                instead,
                notes_for(program, reference),
            )

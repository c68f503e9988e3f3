"""Workflow code writes a date in the language of the machine.

`%A`, `%B`, `%p`, `%x`, `%X` and `%c` of `strftime` take their words from the locale of the process.
A run that goes on in a process with another locale would write another text, and take another way
if it compares it. `%s` asks the machine for its time zone and is refused.

Use `isoformat()` or directives that give numbers, such as `%Y-%m-%d %H:%M`. Where people read the
text, make it in a step.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from wfc.analyse.types import Types, types_of
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Module, Program

RULE = Rule(
    code="WF106",
    name="default-date-format",
    severity=Severity.WARNING,
    page=__doc__,
    bad="""\
from datetime import datetime


async def label() -> str:
    "use workflow"
    return datetime.now().strftime("%A, %x")
""",
    good="""\
from datetime import datetime


async def label() -> str:
    "use workflow"
    return datetime.now().strftime("%Y-%m-%d")
""",
)

_DATES = ("datetime.datetime", "datetime.date", "datetime.time")
_LOCAL = re.compile(r"%[-_0^#]*[EO]?([aAbBchprxX])")
_ZONED = re.compile(r"%[-_0^#]*s")


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each format of a date that depends on the process."""
    types = types_of(program)
    for module, node in program.workflow_code():
        for place, text in _formats(types, module, node):
            bare = text.replace("%%", "")
            if _ZONED.search(bare):
                found = RULE.at(
                    module,
                    place,
                    "`%s` asks the machine for its time zone, and workflow code does not have it.",
                    "Write `int(moment.timestamp())`.",
                )
                yield replace(found, severity=Severity.ERROR)
            elif directive := _LOCAL.search(bare):
                yield RULE.at(
                    module,
                    place,
                    f"`{directive[0]}` is written in the language that the process is set to, so "
                    "it may be another text when the run goes on elsewhere.",
                    "Use `isoformat()`, or directives that give numbers, such as `%Y-%m-%d`.",
                )


def _formats(types: Types, module: Module, node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="strftime"), args=[*args]) if args:
            kind = types.of(module, owner)
            is_time = str(types.target(module, node.func)) == "time.strftime"
            # Nothing but dates has a `strftime`; `date.strftime(moment, text)` is rare.
            text = args[0] if is_time or len(args) == 1 else args[1]
            if kind is None or kind in _DATES:
                yield from _constant(text)
        case ast.Call(func=ast.Name() as func, args=[ast.Constant() as text, *_]):
            if str(types.target(module, func)) == "time.strftime":
                yield from _constant(text)
        case ast.FormattedValue(value=value, format_spec=ast.JoinedStr(values=[text])):
            if types.of(module, value) in _DATES:
                yield from ((value, found) for _, found in _constant(text))


def _constant(node: ast.expr) -> Iterator[tuple[ast.AST, str]]:
    match node:
        case ast.Constant(value=str(text)):
            yield node, text

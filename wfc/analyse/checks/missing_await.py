"""A step or a sleep that is called and not awaited.

In a workflow, calling a step or `sleep()` only prepares it; awaiting it makes it happen. The call
alone does nothing, and what it gives back is a coroutine, not the result.

Write `await` before it, or start it with `asyncio.create_task(...)` and await that later.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.awaiting import Fate, Fates, parents_of
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import External, Function, Kind, Marked, Module, Program

RULE = Rule(
    code="WF506",
    name="missing-await",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
async def send_mail(email: str) -> None:
    "use step"


async def sign_up(email: str) -> None:
    "use workflow"
    send_mail(email)
""",
    good="""\
async def send_mail(email: str) -> None:
    "use step"


async def sign_up(email: str) -> None:
    "use workflow"
    await send_mail(email)
""",
)

_AWAITED = {("workflow", "sleep"), ("asyncio", "sleep"), ("workflow", "fetch")}
# fmt: off
_PLAIN_BUILTINS = {
    "abs", "all", "any", "bool", "bytes", "dict", "divmod", "enumerate", "float", "format",
    "int", "len", "list", "max", "min", "pow", "print", "range", "repr", "reversed", "round",
    "set", "sorted", "str", "sum", "tuple",
}
_PLAIN_MODULES = {
    "base64", "datetime", "decimal", "fractions", "hashlib", "json", "logging", "math", "re",
    "statistics", "string", "textwrap", "time", "uuid",
}
# fmt: on


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each such call whose value nobody can await."""
    steps = frozenset(m.node for m in program.of(Kind.STEP))
    workflows = frozenset(m.node for m in program.of(Kind.WORKFLOW))
    builtins = {
        reference.node: reference.target.member
        for reference in program.reach.references
        if reference.target.module == "builtins"
    }

    def takes_plain(call: ast.Call) -> bool:
        match program.reach.meaning.get(call.func):
            case Marked(kind=Kind.STEP):
                return True  # its arguments are recorded, and a coroutine cannot be
            case External(module=module):
                return module in _PLAIN_MODULES
        return builtins.get(call.func) in _PLAIN_BUILTINS

    for module in program.bundled:
        for index in sorted(program.reach.keep[module.name]):
            statement = module.tree.body[index]
            if statement not in steps:
                fates = Fates(parents_of(statement, steps), takes_plain)
                yield from _in_statement(program, module, fates, workflows)


def _in_statement(
    program: Program, module: Module, fates: Fates, workflows: frozenset[Function]
) -> Iterator[Diagnostic]:
    for node in fates.parents:
        if not isinstance(node, ast.Call):
            continue
        match program.reach.meaning.get(node.func):
            case Marked(kind=Kind.STEP, qualname=name):
                what = f"The step {name}"
            case External(module=home, member=str(name)) if (home, name) in _AWAITED:
                what = f"{name}()"
            case _:
                continue
        fate, kept_in = fates.of(node)
        call = f"await {ast.unparse(node.func)}(...)"
        match fate:
            case Fate.AWAITED:
                continue
            case Fate.RETURNED if fates.function_of(node) not in workflows:
                continue  # whoever calls the helper may await what it returns
            case Fate.DROPPED:
                why, instead = "so nothing happens", call
            case Fate.RETURNED:
                why = "so the workflow would return a coroutine instead of the result"
                instead = f"{kept_in} = {call}" if kept_in else f"return {call}"
            case Fate.FORGOTTEN:
                why, instead = f"and {kept_in} is not used again, so nothing happens", call
            case _:
                why = "so this uses a coroutine instead of the result, and nothing happens"
                instead = f"{kept_in} = {call}" if kept_in else call
        yield RULE.at(
            module,
            node,
            f"{what} is called here but not awaited, {why}.",
            f"Write `{instead}`.",
        )

"""Workflow code looks into the interpreter.

`globals`, `locals`, `vars`, `dir` and `memoryview`, and special attributes such as `__dict__`,
`__class__` or `__globals__`, show how the code is held in memory, which is not the same in the
bundle and differs between processes. They are also the ways out of the sandbox.

Use ordinary attributes, dictionaries and bytes: `type(x)` instead of `x.__class__`,
`dataclasses.asdict(x)` instead of `x.__dict__`. `wfc build --fix` writes the former. The name of a
class, `x.__class__.__name__`, can stay, and so can what compares the classes of two variables.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.checks.banned_uses import banned
from wfc.analyse.checks.refused_names import About, bound, uses
from wfc.diagnostics import Diagnostic, Edit, Rule, Severity, replacing
from wfc.model import Module, Program
from wfc.nodes import walk

RULE = Rule(
    code="WF802",
    name="introspection",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
async def sign_up(email: str) -> dict:
    "use workflow"
    return locals()
""",
    good="""\
async def sign_up(email: str) -> dict:
    "use workflow"
    return {"email": email}
""",
)

_INSTEAD = {
    "__class__": "Write `type(...)`.",
    "__debug__": "Use a constant of your own; workers may run with and without -O.",
    "__dict__": "Write `dataclasses.asdict(...)` for a dataclass, or name the attributes.",
    "__annotations__": "Write the types out.",
    "__file__": "Pass the path as an argument, or read the file in a step.",
    "__module__": "Write the name out.",
    "model_rebuild": "Leave it out: a model may name itself, and what else it names stands above "
    "it.",
    "mro": "Write `isinstance(...)` or `issubclass(...)`.",
}


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each use of an introspective builtin or attribute."""
    from workflow.sandbox.names import SPELLED

    yield from banned(program, RULE)
    for module, node, name in uses(program, About.INTERNALS):
        if name in SPELLED:
            message = (
                f"{name} of a builtin, called by its name, goes past what workflow code has in "
                "its place: texts without addresses, sets with an order."
            )
            yield RULE.at(module, node, message, f"Write `{SPELLED[name]}`.")
            continue
        yield RULE.at(
            module,
            node,
            f"{name} looks into the interpreter, where nothing is the same on replay; workflow "
            "code has no access to it.",
            _INSTEAD.get(name, "Write the code without it, or move it into a step."),
            edits=_typed(module, node),
        )


def _typed(module: Module, node: ast.AST) -> tuple[Edit, ...]:
    """Puts `type(x)` in the place of `x.__class__`, where `type` is the one of Python."""
    match node:
        case ast.Attribute(value=owner, attr="__class__", ctx=ast.Load()):
            if not any("type" in bound(inner) for inner in walk(module.tree)):
                return replacing(module, node, f"type({module.segment(owner)})")
    return ()

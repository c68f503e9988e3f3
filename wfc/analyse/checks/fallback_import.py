"""Workflow code uses an optional import that it never gets.

`try: import x` with `except ImportError` may stand in workflow code. A module that a replay cannot
repeat is not there, so the import fails in every workflow, also where the package is installed,
and the name is what the handler makes of it. If that is None, using it raises.

Test the name before using it, import something else in the handler, or move the code that needs
the package into a function marked `"use step"`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from wfc.analyse.awaiting import parents_of
from wfc.analyse.externals import refusal
from wfc.diagnostics import Diagnostic, Rule, Severity, note_at
from wfc.model import External, Function, Module, Program
from wfc.parse.bindings import bound_names, guarded

RULE = Rule(
    code="WF713",
    name="fallback-import",
    severity=Severity.WARNING,
    page=__doc__,
    bad="""\
try:
    import phonenumbers
except ImportError:
    phonenumbers = None


async def sign_up(phone: str) -> bool:
    "use workflow"
    return phonenumbers.is_valid_number(phone)
""",
    good="""\
try:
    import phonenumbers
except ImportError:
    phonenumbers = None


async def sign_up(phone: str) -> bool:
    "use workflow"
    if phonenumbers is None:
        return phone.startswith("+")
    return phonenumbers.is_valid_number(phone)
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each such name, at its first use that no test comes with."""
    steps = program.elsewhere
    for module in program.bundled:
        absent: dict[str, _Absent] = {}
        for index in sorted(program.reach.keep[module.name]):
            absent.update(_absent(program, module, module.tree.body[index]))
        for index in sorted(program.reach.keep[module.name]) if absent else ():
            statement = module.tree.body[index]
            for name, use in _untested(statement, absent, steps):
                made, flags = absent.pop(name)
                if flags is not None and _asks(program, module, statement, flags):
                    continue
                what, instead = _words(name, flags)
                yield RULE.at(
                    module,
                    use,
                    f"{name} {what} here, in every workflow: the import of it fails in workflow "
                    "code, also where it is installed.",
                    f'{instead}, or move the code that needs it into a function marked "use step".',
                    [note_at(module, made, "imported here")],
                )


_Absent = tuple[ast.stmt, frozenset[str] | None]
"""The import of a name, and what says instead whether it worked; None where the name is None."""


def _words(name: str, flags: frozenset[str] | None) -> tuple[str, str]:
    if flags is None:
        return "is None", f"Test `if {name} is not None` before using it"
    if flags:
        return "has no value", f"Test `if {min(flags)}` before using it"
    return (
        "has no value",
        f"Write `{name} = None` in the handler and test `if {name} is not None` before using it",
    )


def _asks(program: Program, module: Module, statement: ast.stmt, flags: frozenset[str]) -> bool:
    """Whether code reads one of the names that say whether an import worked."""
    nodes = parents_of(statement, program.elsewhere)
    return any(isinstance(n, ast.Name) and n.id in flags for n in nodes)


def _absent(program: Program, module: Module, statement: ast.stmt) -> dict[str, _Absent]:
    """The names that a guarded import at the top of a module leaves without a value."""
    if not isinstance(statement, ast.Try) or not guarded(statement):
        return {}
    found: dict[str, ast.stmt] = {}
    for inner in statement.body:
        if isinstance(inner, ast.Import | ast.ImportFrom) and _refused(program, inner):
            found.update((name, inner) for name in bound_names(inner))
    others = [s for handler in statement.handlers for s in handler.body]
    none: set[str] = set()
    flags: set[str] = set()
    for other in [*others, *statement.orelse]:
        match other:
            case ast.Assign(value=ast.Constant(value=None)) if other in others:
                none.update(bound_names(other))
                continue
            case ast.Assign(value=ast.Constant(value=bool())):
                flags.update(bound_names(other))
        for name in bound_names(other):
            found.pop(name, None)
    flags.difference_update(found)
    return {
        name: (made, None if name in none else frozenset(flags))
        for name, made in found.items()
        if len(module.bindings[name]) == 1
    }


def _refused(program: Program, statement: ast.Import | ast.ImportFrom) -> bool:
    """Whether every part of an import comes from outside and is nothing that workflow code
    gets."""
    if isinstance(statement, ast.ImportFrom):
        if statement.level or not statement.module:
            return False
        targets = [External(statement.module, alias.name) for alias in statement.names]
    else:
        targets = [External(alias.name) for alias in statement.names]
    ours = {name.partition(".")[0] for name in program.modules}
    return all(
        target.module.partition(".")[0] not in ours
        and refusal(target, program.passthrough) is not None
        for target in targets
    )


def _untested(
    statement: ast.stmt, absent: Mapping[str, _Absent], steps: frozenset[Function]
) -> list[tuple[str, ast.expr]]:
    """Uses that need a value, of names that the statement never looks at as such."""
    found: dict[str, ast.expr] = {}
    tested: set[str] = set()
    nodes = [statement, *parents_of(statement, steps)] if statement not in steps else []
    needing: dict[ast.expr, ast.expr] = {
        node.value if isinstance(node, ast.Attribute) else node.func: node
        for node in nodes
        if isinstance(node, ast.Attribute | ast.Call)
    }
    for node in nodes:
        if isinstance(node, ast.Name) and node.id in absent and isinstance(node.ctx, ast.Load):
            _, flags = absent[node.id]
            if node in needing or flags is not None:  # what has no value cannot be looked at
                use = needing.get(node, node)
                found[node.id] = min(found.get(node.id, use), use, key=_place)
            else:
                tested.add(node.id)
    return [(name, use) for name, use in found.items() if name not in tested]


def _place(node: ast.expr) -> tuple[int, int]:
    return node.lineno, node.col_offset

"""Workflow code that fails while its module is being loaded.

Before a run, a worker executes the top of your module: its imports, constants and classes, as far
as workflows use them. The build has just done the same, and a line failed. It would have failed
before every run.

Most often it is one of these:

* Two modules import each other, and one asks for a name that the other has not defined yet. Move
  what both need into a third module.
* A relative import in a file that is not in a package. Write the full name of the module, or give
  the folder an `__init__.py`.
* A constant made from the clock or from a random number. These belong to a run, and there is none
  yet. Work it out in the workflow.
* A constant that cannot be computed, such as `int("12 days")`. Correct it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.names import Names
from wfc.analyse.relative import above, outside_package
from wfc.diagnostics import Diagnostic, Note, Rule, Severity, note_at
from wfc.model import Module, Program

RULE = Rule(
    code="WF812",
    name="not-loadable",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
import datetime

STARTED = datetime.datetime.now()


async def report() -> str:
    "use workflow"
    return f"since {STARTED}"
""",
    good="""\
import datetime


async def report() -> str:
    "use workflow"
    started = datetime.datetime.now()
    return f"since {started}"
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Nothing: the finished bundle is loaded, see `failed`."""
    return iter(())


def failed(program: Program, module: Module, line: int, why: str) -> Diagnostic:
    """The finding for a module whose line `line` raised `why` (type and message)."""
    if why.startswith("ImportError"):
        for statement in module.tree.body:
            if isinstance(statement, ast.ImportFrom) and statement.lineno == line:
                said = _relative(program, module, statement) or _circle(program, module, statement)
                if said is not None:
                    return RULE.at(module, statement, *said)
    return RULE.at(
        module,
        line,
        f"Loading this module for a workflow fails here, and would before every run. {why}",
        "Correct the line, or compute the value inside the workflow function or a step.",
    )


def _relative(
    program: Program, module: Module, statement: ast.ImportFrom
) -> tuple[str, str] | None:
    why = outside_package(module, statement)
    if why is None:
        return None
    if program.package:
        return why, above(program.package)
    plain = ast.unparse(ast.ImportFrom(statement.module, statement.names, 0))
    if not statement.module:
        plain = "; ".join(f"import {ast.unparse(name)}" for name in statement.names)
    return why, f"Write `{plain}`, or put the files into a folder with `__init__.py`."


def _circle(
    program: Program, module: Module, statement: ast.ImportFrom
) -> tuple[str, str, list[Note]] | None:
    """Two modules that import each other, where this one is in the middle of the other's import."""
    other = program.modules.get(_absolute(module, statement))
    if other is None:
        return None
    back = next(iter(_imports(program, other, module)), None)
    late = [
        alias.name
        for alias in statement.names
        if any(other.tree.body[i].lineno > _line(back) for i in other.bindings.get(alias.name, ()))
    ]
    if back is None or not late:
        return None
    names = " and ".join(late)
    return (
        f"{other.name} and {module.name} import each other: when {module.name} asks for {names}, "
        f"{other.name} has not defined {'it' if len(late) == 1 else 'them'} yet.",
        f"Move {names} into a third module.",
        [note_at(other, back, f"here {other.name} begins to import {module.name}")],
    )


def _imports(program: Program, module: Module, other: Module) -> Iterator[ast.stmt]:
    """The statements at the top of a module that lead to `other`, also by way of third modules."""
    for statement in module.tree.body:
        seen: set[str] = set()
        left = list(_imported(module, statement))
        while left:
            name = left.pop()
            found = program.modules.get(name)
            if found is None or name in seen:
                continue
            seen.add(name)
            for inner in found.tree.body:
                left.extend(_imported(found, inner))
        if other.name in seen:
            yield statement


def _imported(module: Module, statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(names=names):
            base = _absolute(module, statement)
            yield base
            yield from (f"{base}.{alias.name}" for alias in names)


def _absolute(module: Module, statement: ast.ImportFrom) -> str:
    return Names(lambda _: None, lambda _: False).absolute(module, statement)


def _line(statement: ast.stmt | None) -> int:
    return statement.lineno if statement is not None else 0

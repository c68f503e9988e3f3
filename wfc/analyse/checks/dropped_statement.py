"""A top-level statement that changes something workflow code uses, and cannot run there.

Of a module, workflow code gets the definitions it uses, and the statements that change what they
hold: entries of a table, decorators that register functions, a call that fills a list. A statement
that needs something no workflow may use, such as the environment or a database, is left out, and
so is a decorator that makes something else of a step. What it would have put into a table is then
missing in the workflow.

So is a line that sets precision or rounding of decimals for the whole process, such as
`decimal.getcontext().rounding = ROUND_HALF_UP`: workflow code computes with the context that Python
starts with, wherever it runs. Write `with decimal.localcontext(rounding=ROUND_HALF_UP):` around the
computation.

Modules that are imported by names the build does not know, as in
`for name in PLUGINS: importlib.import_module(name)`, are not imported in workflow code, and what
they would register is missing there. Import them by name.

Put the value into the definition, and read what comes from outside in a step.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.effect_parts import dotted, is_script
from wfc.analyse.names import Names, ProjectName
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import External, Function, Lost, Module, Program
from wfc.nodes import walk

RULE = Rule(
    code="WF608",
    name="dropped-statement",
    severity=Severity.WARNING,
    page=__doc__,
    bad="""\
import os

PRICES = {"basic": 900}
PRICES["pro"] = int(os.environ["PRO_PRICE"])


async def price(plan: str) -> int:
    "use workflow"
    return PRICES[plan]
""",
    good="""\
import os

PRICES = {"basic": 900}


async def pro_price() -> int:
    "use step"
    return int(os.environ["PRO_PRICE"])


async def price(plan: str) -> int:
    "use workflow"
    return await pro_price() if plan == "pro" else PRICES[plan]
""",
)


_ELSEWHERE = (Function, ast.ClassDef, ast.Import, ast.ImportFrom)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each left-out place that changes what workflow code has."""
    seen: set[tuple[str, int, str]] = set()
    for lost in program.reach.lost:
        line: int = getattr(lost.node, "lineno", 1)
        place = (lost.module.name, line, lost.key[1])
        if place not in seen:
            seen.add(place)
            yield _finding(program, lost)
    names = Names(program.modules.get, lambda name: False)
    computes = any(found.target.module == "decimal" for found in program.reach.references)
    for module, statement in _left_out(program):
        if computes:
            yield from _contexts(names, module, statement)
        yield from _imports(program, names, module, statement)


def _left_out(program: Program) -> Iterator[tuple[Module, ast.stmt]]:
    """What stands at the top of modules and does something, and is not in the bundle."""
    for module in program.bundled:
        kept = program.reach.keep[module.name]
        for index, statement in enumerate(module.tree.body):
            elsewhere = isinstance(statement, _ELSEWHERE) or is_script(statement)
            if index not in kept and not elsewhere:
                yield module, statement


def _contexts(names: Names, module: Module, statement: ast.stmt) -> Iterator[Diagnostic]:
    """A line that sets how decimals are computed with."""
    for node in walk(statement):
        if isinstance(node, ast.Name | ast.Attribute) and _is_context(names, module, node):
            yield RULE.at(
                module,
                node,
                "This line sets how the process computes with decimals. Workflow code does not see "
                "it: there precision and rounding are those that Python starts with.",
                "Write `with decimal.localcontext(...):` around the computation, and set "
                "precision and rounding there.",
            )
            break


def _imports(
    program: Program, names: Names, module: Module, statement: ast.stmt
) -> Iterator[Diagnostic]:
    """A line that imports modules for what they do, by names that are computed."""
    for node in walk(statement):
        if not isinstance(node, ast.Expr):
            continue
        for call in walk(node):
            if isinstance(call, ast.Call) and _imports_computed(program, names, module, call):
                yield RULE.at(
                    module,
                    call,
                    "This line imports modules by names that the build does not know, so workflow "
                    "code does not import them: what they would register is missing there.",
                    "Import them by name, as in `from plugins import one, two`.",
                )
                return


def _imports_computed(program: Program, names: Names, module: Module, call: ast.Call) -> bool:
    """Whether a call imports such modules, or is one of a function that does."""
    if _is_import(names, module, call):
        return True
    root, attrs = dotted(call.func)
    if root is None:
        return False
    match names.follow(names.of(module, root.id, attrs)):
        case ProjectName(key=(home, name), rest=()):
            there = program.modules[home]
            bodies = [there.tree.body[index] for index in there.bindings.get(name, ())]
            return any(
                isinstance(inner, ast.Call) and _is_import(names, there, inner)
                for body in bodies
                if isinstance(body, Function)
                for inner in walk(body)
            )
    return False


def _is_import(names: Names, module: Module, call: ast.Call) -> bool:
    if not call.args or isinstance(call.args[0], ast.Constant):
        return False
    root, attrs = dotted(call.func)
    if root is None:
        return False
    found = names.follow(names.of(module, root.id, attrs))
    if found is None:
        return root.id == "__import__"
    return found == External("importlib", "import_module")


def _is_context(names: Names, module: Module, node: ast.Name | ast.Attribute) -> bool:
    root, attrs = dotted(node)
    if root is None:
        return False
    match names.follow(names.of(module, root.id, attrs)):
        case External(module="decimal", member="DefaultContext" | "getcontext" | "setcontext"):
            return True
    return False


def _finding(program: Program, lost: Lost) -> Diagnostic:
    name = lost.key[1]
    if lost.decorator is None or not lost.on:
        return RULE.at(
            lost.module,
            lost.node,
            f"This line changes {name}, which workflow code uses, but workflow code cannot run "
            f"it: {lost.why}. There {name} stays as it was.",
            f"Put the value into the definition of {name}, and read what comes from outside in a "
            "step.",
        )
    return RULE.at(
        lost.module,
        lost.node,
        f"This decorator changes {name}, which workflow code uses, but workflow code cannot run "
        f"it: {lost.why}. There {name} stays as it was.",
        f"List {lost.on} in {name} itself: `{name} = {_listed(program, lost)}`.",
    )


def _listed(program: Program, lost: Lost) -> str:
    """The definition that needs no decorator."""
    home = program.modules[lost.key[0]]
    for index in home.bindings.get(lost.key[1], ()):
        match home.tree.body[index]:
            case ast.Assign(value=ast.List()) | ast.AnnAssign(value=ast.List()):
                return f"[{lost.on}]"
    return f'{{"{lost.on}": {lost.on}}}'

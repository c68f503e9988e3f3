"""A nested step uses a variable that cannot travel with its calls.

A step that is defined inside a function may use the variables of that function. The step runs in
another process, so their values are recorded with each call, as arguments are. That goes one way
and for data only: what the step writes to such a variable stays in the process that runs the step,
and a local function, class, module or task is tied to the process that made it.

Return what should change, and pass data in. Define helpers at module level, and import modules
there or in the step itself.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.captures import written
from wfc.diagnostics import Diagnostic, Rule, Severity, note_at
from wfc.model import External, Function, Marked, Program
from wfc.nodes import walk
from wfc.parse.bindings import bound_names

RULE = Rule(
    code="WF904",
    name="closure-capture",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
async def count_words(pages: list[str]) -> int:
    "use workflow"
    total = 0

    async def add(page: str) -> None:
        "use step"
        nonlocal total
        total += len(page.split())

    for page in pages:
        await add(page)
    return total
""",
    good="""\
async def count_words(pages: list[str]) -> int:
    "use workflow"
    total = 0

    async def count(page: str) -> int:
        "use step"
        return len(page.split())

    for page in pages:
        total += await count(page)
    return total
""",
)

_HERE = {
    "asyncio.create_task": "a task",
    "asyncio.ensure_future": "a task",
    "asyncio.Lock": "a lock",
    "asyncio.Event": "an event of asyncio",
    "asyncio.Queue": "a queue",
    "asyncio.Semaphore": "a semaphore",
    "asyncio.TaskGroup": "a task group",
    "workflow.create_hook": "a hook",
    "workflow.create_webhook": "a webhook",
    "workflow.api.start": "a run",
}


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each captured variable that is written, or is certainly no data."""
    steps = {m.node for m in program.nested}
    for step in program.nested:
        for name, statement in written(step.node, step.captured).items():
            yield RULE.at(
                step.module,
                statement,
                f"The step {step.name} writes to {name}, a variable of the function around it. The "
                "step runs in another process: the change would stay there.",
                f"Return the new value from the step, and assign it to {name} outside.",
            )
        for name in step.captured:
            if name == "__class__":
                yield _of_class(step)
                continue
            what = _what(program, step, name, steps)
            if what is not None:
                made, words, instead = what
                note = f"{name} is made here"
                if isinstance(made, ast.Import | ast.ImportFrom):
                    note = "imported here"
                yield RULE.at(
                    step.module,
                    _use(step.node, name),
                    f"The step {step.name} uses {name}, which is {words}. It is tied to the "
                    "process that made it, and the step runs in another.",
                    instead,
                    [note_at(step.module, made, note)],
                )


def _of_class(step: Marked) -> Diagnostic:
    """The finding for a step that needs to know the class of the method around it."""
    for node in walk(step.node):
        if isinstance(node, ast.Name) and node.id == "__class__":
            return RULE.at(
                step.module,
                node,
                f"The step {step.name} uses __class__, which is the class of the method around "
                "it. The step is made from its code alone, elsewhere, and has no such class.",
                "Write the name of the class, or make the step a method of its own.",
            )
    return RULE.at(
        step.module,
        step.node,
        f"The step {step.name} uses super(), which needs the method around it.",
        "Call super() outside of the step, or make the step a method of its own.",
    )


def _what(
    program: Program, step: Marked, name: str, steps: set[Function]
) -> tuple[ast.AST, str, str] | None:
    """What a captured variable is, where that is no data: its definition, words, and a fix."""
    places = _definitions(step, name)
    if len(places) != 1:
        return None  # a parameter, or several values: it cannot be told
    place = places[0]
    match place:
        case ast.FunctionDef() | ast.AsyncFunctionDef() if place not in steps:
            return (
                place,
                "a local function without a directive",
                f"Move {name} to module level, or into the step. If it should be a step as well, "
                'mark it "use step".',
            )
        case ast.ClassDef():
            return place, "a local class", f"Move the class {name} to module level."
        case ast.Import() | ast.ImportFrom():
            return place, "imported there", f"Import {name} inside the step, or at module level."
        case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
            words = _value(program, value)
            instead = f"Await it outside, and let the step use the result instead of {name}."
            if words in ("a lambda", "a generator"):
                instead = "Compute it outside, or define it inside the step."
            return (place, words, instead) if words else None
    return None


def _value(program: Program, value: ast.expr) -> str | None:
    match value:
        case ast.Lambda():
            return "a lambda"
        case ast.GeneratorExp():
            return "a generator"
        case ast.Call(func=func):
            match program.reach.meaning.get(func):
                case External() as outside:
                    return _HERE.get(str(outside))
    return None


def _definitions(step: Marked, name: str) -> list[ast.stmt]:
    """The statements of the innermost function around a step that bind a variable of it."""
    for outer in reversed(step.sighting.enclosing):
        if not isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        a = outer.args
        every = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
        if any(arg.arg == name for arg in every):
            return []
        found = list(_binding(outer.body, name))
        if found:
            return found
    return []


def _binding(body: list[ast.stmt], name: str) -> Iterator[ast.stmt]:
    for statement in body:
        if name not in bound_names(statement):
            continue
        inner = [
            part
            for field in ("body", "orelse", "finalbody", "handlers", "cases")
            for part in getattr(statement, field, [])
        ]
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement
            continue
        nested = [part for part in inner if isinstance(part, ast.stmt)]
        nested += [s for part in inner for s in getattr(part, "body", []) if part not in nested]
        within = list(_binding(nested, name))
        # The statement itself may bind it as well: the target of a loop, `with … as name`.
        yield from within if within else [statement]


def _use(function: Function, name: str) -> ast.AST:
    """The first use of a variable in a function."""
    uses = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name]
    return min(uses, key=lambda n: (n.lineno, n.col_offset), default=function)

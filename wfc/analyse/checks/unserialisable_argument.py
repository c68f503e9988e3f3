"""A step or a workflow gets an argument that cannot be recorded.

Everything that passes between a workflow and its steps is written to the log, so that any worker
can run the step, now or after a crash. So are the arguments of a workflow, when it is started. A
lambda, a lock, an open file or a connection is tied to one process; there is nothing to write down.

What can be recorded: text, numbers, bytes, lists, tuples, sets and dictionaries, dates and times,
`Decimal`, `UUID`, enums, dataclasses and pydantic models, also inside each other; and steps, as
`send_mail` itself. What cannot: generators, lambdas, files, sessions, connections, responses of
clients, and plain classes. A class of your own can when it is a dataclass or has
`__workflow_serialize__` and `__workflow_deserialize__`.

Pass data: a list instead of a generator, the values that a lambda would use, the path instead of
the file, the address instead of the connection. The build finds this where an annotation or the
call shows it. Elsewhere the run fails with `SerializationError` when it gets there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.boundary import Boundary, Found, Obstacle, boundary_of, crossed, required
from wfc.analyse.types import types_of
from wfc.diagnostics import Diagnostic, Rule, Severity, note_at
from wfc.model import Form, Function, Kind, Marked, Module, Program
from wfc.nodes import walk

RULE = Rule(
    code="WF901",
    name="unserialisable-argument",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
async def keep(items: list, test) -> list:
    "use step"
    return [i for i in items if test(i)]


async def clean(items: list) -> list:
    "use workflow"
    return await keep(items, lambda i: i > 0)
""",
    good="""\
async def keep(items: list, least: int) -> list:
    "use step"
    return [i for i in items if i > least]


async def clean(items: list) -> list:
    "use workflow"
    return await keep(items, 0)
""",
)

_LAMBDA = Obstacle(
    "a lambda, which is code", "Pass the values it would use, and do the computing in the step."
)
_GENERATOR = Obstacle("a generator, which is gone once it is read", "Pass a list: `[... for ...]`.")


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each parameter of such a type, and for each such value in a call."""
    boundary = boundary_of(program)
    spoken: set[str] = set()
    for step in _called_on_objects(program):
        if (found := boundary.of_self(step)) is not None:
            yield _object(step, found)
    for marked in crossed(program):
        for parameter in required(marked.node):
            found = boundary.refused(marked.module, parameter.annotation)
            if found is not None:
                spoken.add(marked.id)
                yield _parameter(marked, parameter, found)
    for module, node in program.workflow_code():
        if not isinstance(node, ast.Call):
            continue
        match program.reach.meaning.get(node.func):
            case Marked(kind=Kind.STEP, qualname=name, id=step_id) if step_id not in spoken:
                for value in [*node.args, *(k.value for k in node.keywords)]:
                    if (obstacle := _of_value(boundary, module, value)) is not None:
                        yield RULE.at(
                            module,
                            value,
                            f"The arguments of the step {name} are recorded, and this cannot be: "
                            f"it is {obstacle.why}.",
                            obstacle.instead,
                        )


def _of_value(boundary: Boundary, module: Module, value: ast.expr) -> Obstacle | None:
    match value:
        case ast.Lambda():
            return _LAMBDA
        case ast.GeneratorExp():
            return _GENERATOR
        case ast.Name():
            # Of what is made in the call itself, an un-awaited call has a rule of its own.
            found = boundary.of_value(module, value)
            return found.obstacle if found is not None and found.type != "coroutine" else None
    return None


def _called_on_objects(program: Program) -> list[Marked]:
    """The steps that are methods, and are certainly called in workflow code."""
    methods = {
        f"{m.module.name}.{m.qualname}": m for m in program.marked if m.form is Form.INSTANCE
    }
    names = {m.node.name for m in methods.values() if m.kind is Kind.STEP}
    types, called = types_of(program), set[str]()
    for module, node in program.workflow_code() if names else ():
        match node:
            case ast.Call(func=ast.Attribute(value=value, attr=name)) if name in names:
                found = types.type(module, value)
                if found is not None and found.sure:
                    called.add(f"{found.name}.{name}")
            case ast.ClassDef(name=cls, body=body):
                for method in (s for s in body if isinstance(s, Function)):
                    if method not in program.elsewhere:
                        called.update(f"{module.name}.{cls}.{name}" for name in _own(method))
    return [m for name, m in methods.items() if name in called and m.kind is Kind.STEP]


def _own(method: Function) -> Iterator[str]:
    """The methods that a class method calls on a new object of the class."""
    for node in walk(method):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="cls")), attr=name)):
                yield name


def _object(step: Marked, found: Found) -> Diagnostic:
    """The finding for a step that is a method, and gets its object as the first argument."""
    notes = [] if found.field is None else [note_at(*found.field, "declared here")]
    name = step.qualname.partition(".")[0]
    what = f"its {found.path[1:]} is {found.type}" if found.path else f"{name} is"
    return RULE.at(
        step.module,
        step.node,
        f"The object that the step {step.qualname} is called on is recorded with its arguments, "
        f"and cannot be: {what}{',' if found.path else ''} {found.obstacle.why}.",
        found.obstacle.instead,
        notes,
    )


def _parameter(marked: Marked, parameter: ast.arg, found: Found) -> Diagnostic:
    notes = [] if found.field is None else [note_at(*found.field, "declared here")]
    where = f"its {parameter.arg}{found.path} is" if found.path else "it is"
    return RULE.at(
        marked.module,
        parameter,
        f"The arguments of the {marked.kind} {marked.qualname} are recorded, and {parameter.arg} "
        f"cannot be: {where} {found.type}, {found.obstacle.why}.",
        found.obstacle.instead,
        notes,
    )

"""A step and workflow code share a variable of a module, and one of them changes it.

Steps run in the module as Python has imported it. Workflow code runs in a copy of its own, which
begins anew in every run, and again whenever the run is replayed. So each side has the variable to
itself: what a step puts into it is not there in the workflow, and the other way round, and the next
attempt of a step may run in another process.

Hand the value over: return it from the step, or pass it to the step as an argument.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from wfc.analyse.functions import functions, mutated
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Function, Kind, Module, Program
from wfc.nodes import walk
from wfc.parse.bindings import bound_names

RULE = Rule(
    code="WF611",
    name="shared-variable",
    severity=Severity.WARNING,
    page=__doc__,
    bad="""\
RATES: dict[str, float] = {}


async def load_rates() -> None:
    "use step"
    RATES["eur"] = 1.1


async def convert(cents: int) -> float:
    "use workflow"
    await load_rates()
    return cents * RATES["eur"]
""",
    good="""\
async def load_rates() -> dict[str, float]:
    "use step"
    return {"eur": 1.1}


async def convert(cents: int) -> float:
    "use workflow"
    rates = await load_rates()
    return cents * rates["eur"]
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each variable that one side changes and the other uses."""
    for step in program.of(Kind.STEP):
        for name, node in _changes(step.module, step.node, walk(step.node)):
            if (step.module.name, name) in program.reach.parents:
                yield RULE.at(
                    step.module,
                    node,
                    f"The step {step.name} changes {name}, and workflow code uses it, which has "
                    f"a {name} of its own: it does not see the change.",
                    "Return the value from the step, and keep it in the workflow.",
                )
    readers = [(step, _read(step.node)) for step in program.of(Kind.STEP)]
    for module, function, nodes in functions(program):
        for name, node in _changes(module, function, nodes):
            for step, read in readers:
                if step.module is module and name in read:
                    yield RULE.at(
                        module,
                        node,
                        f"Workflow code changes {name}, and the step {step.name} uses it, which "
                        f"has a {name} of its own: it does not see the change.",
                        f"Pass the value to {step.name} as an argument.",
                    )
                    break


def _changes(
    module: Module, function: Function, nodes: Iterable[ast.AST]
) -> Iterator[tuple[str, ast.stmt]]:
    """The variables at the top of the module that a function changes in some of its nodes, each
    where it first does."""
    declared, local = _names(function)
    found: dict[str, ast.stmt] = {}
    for node in nodes:
        if not isinstance(node, ast.stmt):
            continue
        root = mutated(node)
        changed = [root.id] if root is not None and root.id not in local else []
        changed += [name for name in _assigned(node) if name in declared]
        for name in changed:
            if _is_variable(module, name) and (
                name not in found or node.lineno < found[name].lineno
            ):
                found[name] = node
    yield from found.items()


def _read(function: Function) -> set[str]:
    _, local = _names(function)
    return {
        node.id
        for node in walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in local
    }


def _names(function: Function) -> tuple[set[str], set[str]]:
    """The names that are declared `global` anywhere in a function, and the others it binds."""
    declared: set[str] = set()
    local: set[str] = set()
    for node in walk(function):
        match node:
            case ast.Global(names=names):
                declared.update(names)
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                local.add(name)
            case ast.ExceptHandler(name=str(name)) | ast.MatchMapping(rest=str(name)):
                local.add(name)
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                local.add(name)
            case ast.ClassDef() | ast.Import() | ast.ImportFrom():
                local.update(bound_names(node))
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                if node is not function:
                    local.add(name)
    return declared, local - declared


def _assigned(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.Assign(targets=targets):
            for target in targets:
                yield from (n.id for n in walk(target) if isinstance(n, ast.Name))
        case ast.AugAssign(target=ast.Name(id=name)) | ast.AnnAssign(target=ast.Name(id=name)):
            yield name


def _is_variable(module: Module, name: str) -> bool:
    return any(
        isinstance(module.tree.body[index], ast.Assign | ast.AnnAssign)
        for index in module.bindings.get(name, ())
    )

"""What a call in workflow code does, for the graph: one of the classes below, or nothing."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from wfc.analyse.graph.resolve import Callee, Candidate, Resolver, Scope
from wfc.analyse.graph.shapes import NodeKind
from wfc.analyse.names import ProjectName
from wfc.model import External, Kind, Marked

__all__ = [
    "Asyncio",
    "Durable",
    "Dynamic",
    "Inline",
    "Spawn",
    "StepCall",
    "argument",
    "classify",
    "dotted",
]


@dataclass(frozen=True, eq=False)
class StepCall:
    """A step."""

    step: Marked


@dataclass(frozen=True, eq=False)
class Durable:
    """Something of the runtime: a sleep, a hook, a fetch, the start of another workflow."""

    kind: NodeKind
    child: Marked | None = None
    payload: ast.expr | None = None  # the type of a hook


@dataclass(frozen=True, eq=False)
class Inline:
    """A function of the project, whose own graph takes the place of the call."""

    callee: Callee


@dataclass(frozen=True, eq=False)
class Dynamic:
    """One of several functions, chosen when the workflow runs."""

    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, eq=False)
class Asyncio:
    """Several things at once: `gather`, `wait`, `as_completed`, `wait_for`."""

    method: str


@dataclass(frozen=True, eq=False)
class Spawn:
    """`create_task`, of the module, a loop or a group."""


Meaning = StepCall | Durable | Inline | Dynamic | Asyncio | Spawn | None

_RUNTIME = {
    "workflow.sleep": NodeKind.SLEEP,
    "asyncio.sleep": NodeKind.SLEEP,
    "time.sleep": NodeKind.SLEEP,
    "workflow.create_hook": NodeKind.HOOK,
    "workflow.create_webhook": NodeKind.WEBHOOK,
    "workflow.fetch": NodeKind.FETCH,
    "workflow.pending_action": NodeKind.ACTION,
    "workflow.api.start": NodeKind.CHILD,
    "workflow.start": NodeKind.CHILD,
}
_TOGETHER = {"gather", "wait", "as_completed", "wait_for"}
_SPAWN = {"asyncio.create_task", "asyncio.ensure_future"}
_DEFINED = {"workflow.define_hook", "workflow.HookDefinition"}


def dotted(resolver: Resolver, scope: Scope, node: ast.AST) -> str:
    """The full name of something outside of the project; empty for everything else."""
    found = resolver.meaning(node) or resolver.target(scope, node)
    return str(found) if isinstance(found, External) else ""


def argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    """An argument by position or name."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    return call.args[position] if 0 <= position < len(call.args) else None


def classify(resolver: Resolver, scope: Scope, call: ast.Call) -> Meaning:
    """What `call` does; None where that is of no interest to the graph."""
    name = dotted(resolver, scope, call.func)
    if name:
        return _external(resolver, name, call)
    match resolver.callee(scope, call.func):
        case Marked(kind=Kind.STEP) as step:
            return StepCall(step)
        case Marked() as workflow:
            return Durable(NodeKind.CHILD, workflow)
        case Callee() as callee:
            return Inline(callee)
    if isinstance(call.func, ast.Attribute):
        return _method(resolver, scope, call, call.func)
    return _dynamic(resolver, scope, call.func)


def _external(resolver: Resolver, name: str, call: ast.Call) -> Meaning:
    if (kind := _RUNTIME.get(name)) is not None:
        child = resolver.meaning(call.args[0]) if kind is NodeKind.CHILD and call.args else None
        payload = argument(call, 0, "type") if kind is NodeKind.HOOK else None
        return Durable(kind, child if isinstance(child, Marked) else None, payload)
    module, _, member = name.rpartition(".")
    if module == "asyncio" and member in _TOGETHER:
        return Asyncio(member)
    return Spawn() if name in _SPAWN else None


def _method(resolver: Resolver, scope: Scope, call: ast.Call, func: ast.Attribute) -> Meaning:
    match func.attr:
        case "create_task":
            return Spawn()
        case "respond_with":
            return Durable(NodeKind.RESPOND)
        case "create":
            defined = _definition(resolver, scope, func)
            if defined is not None:
                return Durable(NodeKind.HOOK, None, argument(defined, 0, "type"))
        case "start" if call.args and isinstance(func.value, ast.Call):
            child = resolver.meaning(call.args[0])
            if isinstance(child, Marked) and child.kind is Kind.WORKFLOW:
                return Durable(NodeKind.CHILD, child)
    methods = resolver.methods(scope, func)
    if len(methods) > 1:
        labels = [m.qualname if isinstance(m, Marked) else m.name for m in methods]
        return Dynamic(tuple(Candidate(n, m) for n, m in zip(labels, methods, strict=True)))
    return _dynamic(resolver, scope, func)


def _definition(resolver: Resolver, scope: Scope, func: ast.Attribute) -> ast.Call | None:
    """The `define_hook(…)` behind `definition.create`."""
    if isinstance(func.value, ast.Call):
        return func.value if dotted(resolver, scope, func.value.func) in _DEFINED else None
    match resolver.target(scope, func):
        case ProjectName(key=(module_name, name), rest=("create",)):
            module = resolver.program.modules.get(module_name)
            for index in module.bindings.get(name, ()) if module else ():
                match module.tree.body[index] if module else None:
                    case (
                        ast.Assign(value=ast.Call() as made)
                        | ast.AnnAssign(value=ast.Call() as made)
                    ):
                        external = resolver.meaning(made.func)
                        return made if str(external) in _DEFINED else None
    return None


def _dynamic(resolver: Resolver, scope: Scope, func: ast.expr) -> Meaning:
    found = resolver.candidates(scope, func)
    if isinstance(func, ast.Attribute):
        # `tools.get(name)` only looks a step up; `holder.step()` may call it.
        found = [c for c in found if c.label == func.attr or _called(c) == func.attr]
    match found:
        case []:
            return None
        case [Candidate(what=Marked(kind=Kind.STEP) as step)] if isinstance(func, ast.Name):
            return StepCall(step)
        case [Candidate(what=Callee() as callee)] if isinstance(func, ast.Name):
            return Inline(callee)
    return Dynamic(tuple(found))


def _called(candidate: Candidate) -> str:
    return candidate.what.node.name

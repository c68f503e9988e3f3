"""Calls whose coroutine nobody awaits: of steps, of sleeps, of the project's async functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from wfc.analyse.awaiting import Fate, Fates, parents_in_workflow
from wfc.analyse.functions import own_nodes
from wfc.analyse.places import Defined, Value, scopes_around
from wfc.analyse.types import Types, types_of
from wfc.model import External, Function, Kind, Marked, Module, Program

__all__ = ["Unawaited", "unawaited"]

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


@dataclass(frozen=True, eq=False)
class Unawaited:
    """Such a call. `step` is the step it is of, if it is; `why` says what comes of it, `instead`
    is the line to write, `takes_await` whether it is enough to put `await` before the call: it is a
    statement of an async function, or what one assigns."""

    module: Module
    call: ast.Call
    step: Marked | None
    why: str
    instead: str
    takes_await: bool


_CACHE: WeakKeyDictionary[Program, tuple[Unawaited, ...]] = WeakKeyDictionary()


def unawaited(program: Program) -> tuple[Unawaited, ...]:
    """Every such call in workflow code, as far as its value can be followed."""
    found = _CACHE.get(program)
    if found is None:
        found = _CACHE[program] = tuple(_all(program))
    return found


def _all(program: Program) -> Iterator[Unawaited]:
    steps = program.elsewhere
    workflows = frozenset(m.node for m in program.of(Kind.WORKFLOW))
    types = types_of(program)
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
                fates = Fates(parents_in_workflow(program, statement), takes_plain)
                for node in fates.parents:
                    if isinstance(node, ast.Call) and (
                        _is_coroutine(program, types, module, node)
                        or _local(program, types, fates.parents, node) is not None
                    ):
                        yield from _look(program, types, module, fates, node, workflows)


def _is_coroutine(program: Program, types: Types, module: Module, call: ast.Call) -> bool:
    match program.reach.meaning.get(call.func):
        case Marked(kind=kind):
            return kind is Kind.STEP  # a workflow that is called has a rule of its own
    return types.of(module, call) == "coroutine"


def _local(
    program: Program, types: Types, parents: Mapping[ast.AST, ast.AST], call: ast.Call
) -> Marked | Function | None:
    """The step or async function that a call by a local name runs: another name of a step, or a
    function inside of a function."""
    name = call.func
    for _ in range(10):  # names of names end somewhere
        if not isinstance(name, ast.Name):
            return None
        found = next(
            (
                b[name.id]
                for s in scopes_around(parents, name)
                if name.id in (b := types.bindings(s))
            ),
            [],
        )
        match found:
            case [Defined(node=ast.AsyncFunctionDef() as function)] if not (
                function.decorator_list or function in program.elsewhere or _yields(function)
            ):
                return function
            case [Value(value=value, path=())]:
                meaning = program.reach.meaning.get(value)
                if isinstance(meaning, Marked):
                    return meaning if meaning.kind is Kind.STEP else None
                name = value
            case _:
                return None
    return None


def _yields(function: Function) -> bool:
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in own_nodes(function.body))


def _look(
    program: Program,
    types: Types,
    module: Module,
    fates: Fates,
    call: ast.Call,
    workflows: frozenset[Function],
) -> Iterator[Unawaited]:
    fate, kept_in = fates.of(call)
    if fate is Fate.AWAITED:
        return
    line = f"await {ast.unparse(call.func)}(...)"
    parent = fates.parents.get(call)
    if kept_in and not isinstance(parent, ast.Assign | ast.AnnAssign | ast.NamedExpr):
        kept_in = ""  # the name of what holds it
    match fate:
        case Fate.RETURNED if fates.function_of(call) not in workflows:
            return  # whoever calls the helper may await what it returns
        case Fate.DROPPED:
            why, instead = "so nothing happens", line
        case Fate.RETURNED:
            why = "so the workflow would return a coroutine instead of the result"
            instead = f"{kept_in} = {line}" if kept_in else line
            if isinstance(parent, ast.Return):
                instead = f"return {line}"
        case Fate.FORGOTTEN:
            why, instead = f"and {kept_in} is not used again, so nothing happens", line
        case _:
            what = kept_in or "this"
            why = f"so {what} is a coroutine, not the result, and nothing happens"
            instead = f"{kept_in} = {line}" if kept_in else line
    meaning = program.reach.meaning.get(call.func) or _local(program, types, fates.parents, call)
    yield Unawaited(
        module,
        call,
        meaning if isinstance(meaning, Marked) else None,
        why,
        instead,
        isinstance(fates.parents.get(call), ast.Expr | ast.Assign | ast.AnnAssign)
        and isinstance(fates.function_of(call), ast.AsyncFunctionDef),
    )

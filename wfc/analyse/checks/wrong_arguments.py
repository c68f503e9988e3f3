"""A call whose arguments do not fit.

The arguments of a step and of a workflow are recorded by the names of their parameters, so they are
held to the signature when the call is made, and a call that does not fit raises `TypeError`. So do
calls of `create_hook`, `fetch` and the others of `workflow`. In a workflow that may be weeks after
the start, and the run fails.

Call it as its signature says. Type checkers find this, too, and wrong types with it.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache

from wfc.analyse.names import ProjectName, by_place
from wfc.analyse.runtime_calls import runtime_calls, starts
from wfc.analyse.types import Types, types_of
from wfc.diagnostics import Diagnostic, Note, Rule, Severity, inserting, note_at
from wfc.model import External, Form, Kind, Marked, Module, Program

RULE = Rule(
    code="WF915",
    name="wrong-arguments",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
async def charge(customer: str, cents: int) -> str:
    "use step"
    return f"{customer}: {cents}"


async def order(customer: str) -> str:
    "use workflow"
    return await charge(customer, cent=500)
""",
    good="""\
async def charge(customer: str, cents: int) -> str:
    "use step"
    return f"{customer}: {cents}"


async def order(customer: str) -> str:
    "use workflow"
    return await charge(customer, cents=500)
""",
)

# Written down, as importing `workflow.api` takes long; a test compares.
OPTIONS_OF_START = (
    "run_id",
    "idempotency_key",
    "attributes",
    "delay",
    "deadline",
    "grace",
    "connection",
    "cancel_with_parent",
)
_KINDS = inspect.Parameter
_CLASSES = ("Backoff", "RetryableError")
_ELSEWHERE = ("step_options",)  # WF014 says more about it


class _Some:
    """A default, whatever it is."""

    def __repr__(self) -> str:
        return "..."


_SOME = _Some()


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each call of a step, a start of a workflow and a call of `workflow` that
    raises TypeError whatever the values are."""
    for module, node in program.workflow_code():
        if isinstance(node, ast.Call):
            step = program.reach.meaning.get(node.func)
            if isinstance(step, Marked) and step.kind is Kind.STEP and _is_as_written(step):
                yield from _held(module, node, node.args, step)
            elif isinstance(step, External) and str(step) == "asyncio.gather":
                yield from _gathered(module, node)
    types, places = types_of(program), by_place(program.marked)
    for module in program.modules.values():
        for node in starts(program, module):
            workflow = _workflow(types, places, module, node.args[0])
            if workflow is not None and _is_as_written(workflow):
                yield from _held(module, node, node.args[1:], workflow)
    for call in runtime_calls(program):
        signature = _signature_of(call.name)
        wrong = signature and _misfit(signature, call.node.args, call.node.keywords)
        if signature is not None and wrong:
            name = call.name.rpartition(".")[2]
            yield _finding(call.module, call.node, f"{name}()", wrong, name, signature, ())


def _gathered(module: Module, call: ast.Call) -> Iterator[Diagnostic]:
    match call.args:
        case [ast.List() | ast.ListComp() | ast.Tuple() | ast.GeneratorExp() as group]:
            yield RULE.at(
                module,
                group,
                "asyncio.gather() takes awaitables one by one, and this is all of them in one.",
                "Write a star before it: `asyncio.gather(*...)`.",
                edits=() if isinstance(group, ast.GeneratorExp) else inserting(module, group, "*"),
            )


def _held(
    module: Module, call: ast.Call, positional: list[ast.expr], marked: Marked
) -> Iterator[Diagnostic]:
    signature = _signature(marked.node.args)
    wrong = _misfit(signature, positional, call.keywords)
    if wrong:
        what = f"the {marked.kind} {marked.name}"
        notes = (note_at(marked.module, marked.node, "defined here"),)
        yield _finding(module, call, what, wrong, marked.node.name, signature, notes)


def _finding(
    module: Module,
    call: ast.Call,
    what: str,
    wrong: str,
    name: str,
    signature: inspect.Signature,
    notes: tuple[Note, ...],
) -> Diagnostic:
    close: list[str] = []
    place: ast.AST = call
    if "unexpected keyword" in wrong:
        given = wrong.split("'")[1]
        place = next(keyword for keyword in call.keywords if keyword.arg == given)
        named = [p.name for p in signature.parameters.values() if p.kind is not _KINDS.VAR_KEYWORD]
        close = get_close_matches(given, named, 1, 0.6)
    return RULE.at(
        module,
        place,
        f"The arguments do not fit {what}: {wrong}.",
        (f"Did you mean {close[0]}? " if close else "") + f"It takes {name}{signature}.",
        notes,
    )


def _misfit(
    signature: inspect.Signature, positional: list[ast.expr], keywords: list[ast.keyword]
) -> str:
    """Why a call raises TypeError; empty where it does not, or where that cannot be known."""
    named = {k.arg: None for k in keywords if k.arg is not None}
    unsure = any(isinstance(a, ast.Starred) for a in positional) or len(named) < len(keywords)
    try:
        signature.bind_partial(**named)  # a misspelt name says more than what it leaves missing
        if not unsure:
            signature.bind(*positional, **named)
    except TypeError as error:
        return str(error)
    return ""


def _is_as_written(marked: Marked) -> bool:
    """Whether a call has the signature that stands in the text: no decorator, nor a second
    definition, made another of it, and no `self` is filled in."""
    own = {"step_options", "staticmethod"}
    return (
        marked.form in (Form.FUNCTION, Form.STATIC, Form.NESTED)
        and len(marked.module.bindings.get(marked.key[1], ())) == 1
        and all(_last_name(d) in own for d in marked.node.decorator_list)
    )


def _last_name(decorator: ast.expr) -> str:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    match called:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _workflow(
    types: Types, places: Mapping[tuple[str, str], Marked], module: Module, node: ast.expr
) -> Marked | None:
    match types.target(module, node):
        case ProjectName(key=(home, name), rest=rest):
            found = places.get((home, ".".join([name, *rest])))
            return found if found is not None and found.kind is Kind.WORKFLOW else None
    return None


def _signature(arguments: ast.arguments) -> inspect.Signature:
    """The signature of a function of the project: names and kinds; a default shows as `...`."""
    positional: list[tuple[ast.arg, inspect._ParameterKind]] = [
        *((a, _KINDS.POSITIONAL_ONLY) for a in arguments.posonlyargs),
        *((a, _KINDS.POSITIONAL_OR_KEYWORD) for a in arguments.args),
    ]
    first = len(positional) - len(arguments.defaults)
    found = [
        _parameter(arg, kind, number >= first) for number, (arg, kind) in enumerate(positional)
    ]
    if arguments.vararg is not None:
        found.append(_parameter(arguments.vararg, _KINDS.VAR_POSITIONAL))
    found += [
        _parameter(arg, _KINDS.KEYWORD_ONLY, default is not None)
        for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    if arguments.kwarg is not None:
        found.append(_parameter(arguments.kwarg, _KINDS.VAR_KEYWORD))
    return inspect.Signature(found)


def _parameter(
    arg: ast.arg, kind: inspect._ParameterKind, has_default: bool = False
) -> inspect.Parameter:
    return inspect.Parameter(arg.arg, kind, default=_SOME if has_default else _KINDS.empty)


@cache
def _signature_of(name: str) -> inspect.Signature | None:
    """The signature of what `workflow` offers under a full name, without types."""
    import workflow

    home, _, last = name.rpartition(".")
    if home == "workflow" and last in workflow.__all__ and last not in _ELSEWHERE:
        offered = getattr(workflow, last)
        if inspect.isfunction(offered) or last in _CLASSES:
            full = inspect.signature(offered)
            bare = [p.replace(annotation=_KINDS.empty) for p in full.parameters.values()]
            return inspect.Signature(bare)
    if name not in ("workflow.api.with_options", "workflow.sync.with_options"):
        return None
    outside = home == "workflow.sync"
    return inspect.Signature(
        [
            inspect.Parameter(option, _KINDS.KEYWORD_ONLY, default=None)
            for option in OPTIONS_OF_START
            if not (outside and option == "cancel_with_parent")
        ]
    )

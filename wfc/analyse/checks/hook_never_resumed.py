"""A run waits for a hook that nobody resumes.

`await create_hook()` stops the run until somebody calls `resume_hook(token, payload)`. No Python
file of this project does, and the hook has no timeout: the run would wait for ever. (A webhook
needs no such call: a request to its address resumes it.)

Call `resume_hook` from `workflow.api` where the answer comes in. It needs the token: choose one
that this place can know, such as `create_hook(token=f"approve:{order}")`, or send `hook.token` to
the person in a step.

Or give the hook a `timeout`. When the time is up, the `await` raises `TimeoutError`; catch it, or
the run fails. If another project resumes the hook, silence this line and say so.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.awaiting import parents_of
from wfc.analyse.functions import ancestors, functions, is_call_of, own_nodes
from wfc.analyse.names import ProjectName
from wfc.analyse.types import types_of
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import External, Function, Module, Program

RULE = Rule(
    code="WF516",
    name="hook-never-resumed",
    severity=Severity.WARNING,
    page=__doc__,
    bad="""\
from workflow import create_hook


async def publish(text: str) -> str:
    "use workflow"
    answer = await create_hook(token=f"approve:{text}")
    return answer
""",
    good={
        "flows.py": """\
from workflow import create_hook


async def publish(text: str) -> str:
    "use workflow"
    try:
        answer = await create_hook(token=f"approve:{text}", timeout="7 days")
    except TimeoutError:
        return "nobody answered"
    return answer
""",
        "api.py": """\
from workflow.api import resume_hook


async def approve(text: str, answer: str) -> None:
    await resume_hook(f"approve:{text}", answer)
""",
    },
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each hook that is waited for without a timeout, where no file of the
    project resumes any."""
    if program.resumes_hooks:
        return
    for module, function, nodes in functions(program):
        hooks = {
            node
            for node in nodes
            if isinstance(node, ast.Call) and _makes_hook(program, module, node)
        }
        if hooks:
            yield from _waited_for(program, module, function, hooks)


def _waited_for(
    program: Program, module: Module, function: Function, hooks: set[ast.Call]
) -> Iterator[Diagnostic]:
    parents = parents_of(function, frozenset())
    names = {name: hook for hook in hooks if (name := _kept_in(parents, hook))}
    for node in own_nodes(function.body):
        match node:
            case ast.Await(value=waited) | ast.AsyncFor(iter=waited):
                pass
            case _:
                continue
        hook = names.get(waited.id) if isinstance(waited, ast.Name) else waited
        if hook in hooks and not _is_bounded(program, parents, node):
            assert isinstance(hook, ast.Call)
            yield RULE.at(
                module,
                hook,
                "This run waits for a payload without a timeout, and no file of this project "
                "calls resume_hook(): it would wait for ever.",
                "Call `await resume_hook(token, payload)` from workflow.api where the answer "
                'comes in, or write `create_hook(..., timeout="7 days")`.',
            )


def _makes_hook(program: Program, module: Module, call: ast.Call) -> bool:
    for keyword in call.keywords:
        if keyword.arg is None:
            return False
        no_limit = isinstance(keyword.value, ast.Constant) and keyword.value.value is None
        if keyword.arg == "timeout" and not no_limit:
            return False
    if is_call_of(program, call, "workflow.create_hook"):
        return True
    match call.func:
        case ast.Attribute(value=owner, attr="create"):
            return _is_definition(program, module, owner)
    return False


def _is_definition(program: Program, module: Module, owner: ast.expr) -> bool:
    """Whether `owner` is what `define_hook` has made at the top level of a module."""
    types = types_of(program)
    match types.target(module, owner):
        case ProjectName(key=(name, top), rest=()) if name in program.modules:
            home = program.modules[name]
            for index in home.bindings.get(top, ()):
                match home.tree.body[index]:
                    case (
                        ast.Assign(value=ast.Call(func=made))
                        | ast.AnnAssign(value=ast.Call(func=made))
                    ):
                        return types.target(home, made) == External("workflow", "define_hook")
    return False


def _kept_in(parents: dict[ast.AST, ast.AST], hook: ast.Call) -> str | None:
    match parents.get(hook):
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case ast.withitem(optional_vars=ast.Name(id=name)):
            return name
    return None


def _is_bounded(program: Program, parents: dict[ast.AST, ast.AST], node: ast.AST) -> bool:
    """Whether the wait stands in a block that may end it: asyncio.timeout(), or what is not
    known."""
    return any(
        isinstance(around, ast.AsyncWith | ast.With)
        and not all(_is_hook_block(program, item) for item in around.items)
        for around in ancestors(parents, node)
    )


def _is_hook_block(program: Program, item: ast.withitem) -> bool:
    return is_call_of(program, item.context_expr, "workflow.create_hook")

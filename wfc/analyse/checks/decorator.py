"""A decorator that a workflow or step cannot have.

A workflow's function is executed again whenever its run goes on, and its decorators with it. So a
decorator from outside the project does not belong there:

* A route, such as `@app.post`. Put it on another function, which calls `start()`.
* A retry, such as those of `tenacity` or `backoff`. Remove it: steps are retried by themselves, as
  `@step_options` says.
* A cache. Remove it: what a step has returned is recorded and not computed again.

A decorator that you wrote yourself may stay; it is checked like the rest of the workflow's code.

A step keeps its decorators: they work where the step runs, say to log or to open a session. Only
those are refused that make something else of the function, such as a context manager or a command.
An option that `@step_options` does not have is refused as well, as a worker could not import it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from difflib import get_close_matches

from wfc.analyse.installed import RETRIES
from wfc.analyse.nested_options import is_readable
from wfc.analyse.options import OPTION_NAMES
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Form, Function, Kind, Marked, Program

RULE = Rule(
    code="WF014",
    name="decorator",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
from fastapi import FastAPI

app = FastAPI()


@app.post("/signup")
async def sign_up(email: str) -> str:
    "use workflow"
    return email.lower()
""",
    good="""\
from fastapi import FastAPI

from workflow.api import start

app = FastAPI()


async def sign_up(email: str) -> str:
    "use workflow"
    return email.lower()


@app.post("/signup")
async def post_sign_up(email: str) -> str:
    run = await start(sign_up, email)
    return run.run_id
""",
)

_MANAGER = (
    "makes a context manager of it, which is entered and left, and a call has one result",
    "Acquire and release inside of the {kind}, around the work that needs it.",
)
_CACHE = (
    "keeps the coroutine of the first call and hands it out again, and a coroutine can be awaited "
    "only once",
    "Remove it: the result of a step is recorded, so a replay does not run the step again.",
)
_DISPATCH = (
    "chooses between several functions by the type of the first argument, and an id stands for one "
    "function",
    "Put the directive into each of the functions, under names of their own, and choose in the "
    "workflow.",
)
_COMMAND = (
    "makes a command of it that reads the command line, and it is no longer a function",
    "Put the decorator on a function of its own that starts the workflow or calls this one.",
)
NOT_MEANT = (
    "The directive at the top of the file marks it; if it should not be one, start its name with "
    "an underscore, or leave it out of __all__."
)
BECOMES = {
    "contextlib.contextmanager": _MANAGER,
    "contextlib.asynccontextmanager": _MANAGER,
    "functools.singledispatch": _DISPATCH,
    "functools.singledispatchmethod": _DISPATCH,
    "functools.wraps": (
        "gives it the signature of another function, and arguments are recorded by the names in "
        "the signature",
        "Remove it; it belongs on the inner function of a decorator.",
    ),
    "click.command": _COMMAND,
    "click.group": _COMMAND,
}
_ASYNC_ONLY = {"functools.cache": _CACHE, "functools.lru_cache": _CACHE}
_OPTIONS = {"workflow.step_options"}


def named(program: Program, marked: Marked) -> Iterator[str]:
    """The full names of the decorators of a function that are not the project's own."""
    for decorator in marked.node.decorator_list:
        yield program.decorators.get(decorator, "")


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each decorator that changes what a call is, or cannot run in a
    workflow."""
    for marked in program.marked:
        for decorator, name in zip(marked.node.decorator_list, named(program, marked), strict=True):
            said = _refusal(marked, name)
            if said is None and (outside := program.foreign.get(decorator)) is not None:
                said = _foreign(marked, outside.module.partition(".")[0])
            if said is None and name in _OPTIONS:
                said = _misused_options(decorator)
            if said is None and marked.form is Form.NESTED:
                said = _nested(decorator, name)
            if said is not None:
                why, instead = said
                if marked.sighting.function is None:
                    instead += f"\n{NOT_MEANT}"
                yield RULE.at(
                    marked.module,
                    decorator,
                    f"The {marked.kind.value} {marked.name} cannot have this decorator: it {why}.",
                    instead.format(kind=marked.kind.value),
                )


def _misused_options(decorator: ast.expr) -> tuple[str, str] | None:
    """Why `step_options` would raise when the module is imported."""
    listed = f"the options are {', '.join(OPTION_NAMES[:-1])} and {OPTION_NAMES[-1]}."
    if not isinstance(decorator, ast.Call):
        return (
            "is not called, so it gets the function where it expects options",
            f"Write `@step_options(max_retries=5)`; {listed} Without any, leave it out.",
        )
    if decorator.args and not isinstance(decorator.args[0], ast.Starred):
        return ("takes options by their names only", f"Name it: {listed}")
    for keyword in decorator.keywords:
        if keyword.arg is not None and keyword.arg not in OPTION_NAMES:
            close = get_close_matches(keyword.arg, OPTION_NAMES, 1, 0.5)
            guess = f"Did you mean {close[0]}? " if close else ""
            return (f"has no option '{keyword.arg}'", guess + listed[0].upper() + listed[1:])
    return None


_NESTED = (
    "would get the function only while the one around it runs, and the step runs elsewhere, made "
    "from its code alone",
    "Move the step to module level, where decorators work, or do without it.",
)


def _nested(decorator: ast.expr, name: str) -> tuple[str, str] | None:
    if name not in _OPTIONS:
        return _NESTED
    if is_readable(decorator):
        return None
    return (
        "has arguments that are computed, and the options of a nested step are read from the text",
        'Write constants, such as `@step_options(max_retries=5, timeout="30s")`, or move the '
        "step to module level.",
    )


def _refusal(marked: Marked, name: str) -> tuple[str, str] | None:
    if name in _ASYNC_ONLY and _is_async(marked.node):
        return _ASYNC_ONLY[name]
    if name in _OPTIONS and marked.kind is Kind.WORKFLOW:
        return (
            "says how a step is retried, and a workflow is replayed from its log instead",
            "Put it on the steps that the workflow calls.",
        )
    return BECOMES.get(name)


def _foreign(marked: Marked, package: str) -> tuple[str, str]:
    if package in RETRIES:
        return (
            f"comes from {package}, and a workflow is replayed from its log instead of being "
            "called again",
            "Remove it: steps are retried by themselves, three times unless "
            "`@step_options(max_retries=…)` says otherwise, and the workflow itself survives "
            "crashes.",
        )
    return (
        f"comes from {package}, and would run with the workflow, at every replay again",
        f"Put the decorator on a function that calls `await start({marked.qualname}, ...)` from "
        "workflow.api, and leave the workflow undecorated.",
    )


def _is_async(function: Function) -> bool:
    return isinstance(function, ast.AsyncFunctionDef)

"""A default value that only exists inside a run.

Python works out the default of a parameter once, where the function is defined, which is when the
module is loaded. At that time there is no run: no step can be called, and the clock and random
numbers, which belong to the run, have no value.

Take `None` as the default and work the value out in the body.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.functions import own_nodes
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import External, Kind, Marked, Module, Program

RULE = Rule(
    code="WF906",
    name="step-in-default",
    severity=Severity.ERROR,
    page=__doc__,
    silenceable=False,
    bad="""\
from datetime import datetime


async def report(day: datetime = datetime.now()) -> str:
    "use workflow"
    return f"report of {day:%d.%m.%Y}"
""",
    good="""\
from datetime import datetime


async def report(day: datetime | None = None) -> str:
    "use workflow"
    day = day or datetime.now()
    return f"report of {day:%d.%m.%Y}"
""",
)

_OF_A_RUN = {
    "asyncio": {"create_task", "current_task", "gather", "get_running_loop", "sleep"},
    "datetime": {"date.today", "datetime.now", "datetime.today", "datetime.utcnow"},
    "random": {
        "betavariate",
        "choice",
        "choices",
        "gauss",
        "randbytes",
        "randint",
        "random",
        "randrange",
        "sample",
        "uniform",
    },
    "time": {"monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "time", "time_ns"},
    "uuid": {"uuid1", "uuid4"},
    "workflow": {
        "create_hook",
        "create_webhook",
        "fetch",
        "get_workflow_metadata",
        "pending_action",
        "sleep",
    },
}


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each such call in the defaults of a function that is loaded with its
    module."""
    for module in program.bundled:
        for index in sorted(program.reach.keep[module.name]):
            for function in _loaded(module.tree.body[index]):
                for default in [*function.args.defaults, *function.args.kw_defaults]:
                    if default is not None:
                        yield from _in_default(program, module, function, default)


def _loaded(statement: ast.stmt) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in own_nodes([statement]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                yield from _loaded(inner)


def _in_default(
    program: Program,
    module: Module,
    function: ast.FunctionDef | ast.AsyncFunctionDef,
    default: ast.expr,
) -> Iterator[Diagnostic]:
    # A lambda is called later, perhaps in a run.
    for node in own_nodes([default]):
        if not isinstance(node, ast.Call):
            continue
        match program.reach.meaning.get(node.func):
            case Marked(kind=Kind.STEP, name=name):
                what = f"the step {name} cannot be called"
            case External(module=home, member=str(member), rest=rest) if ".".join(
                [member, *rest]
            ) in _OF_A_RUN.get(home, ()):
                what = f"{ast.unparse(node.func)}() has no value"
            case _:
                continue
        yield RULE.at(
            module,
            node,
            f"The default of a parameter of {function.name} is worked out when the module is "
            f"loaded, and then {what}: no run is going on.",
            "Take None as the default and work it out in the body.",
        )

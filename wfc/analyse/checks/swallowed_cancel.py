"""An `except` that also catches the cancellation of the run.

When somebody cancels a run, the await it is waiting at raises `asyncio.CancelledError`, so that
`finally` blocks and compensation can run. A bare `except:` and `except BaseException:` catch that
too. If the handler does not raise it again, the run goes on as if nobody had asked it to stop.

Catch `Exception`, which cancellation is not, or end the handler with `raise`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wfc.analyse.functions import awaits, functions, own_nodes
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import External, Program

RULE = Rule(
    code="WF507",
    name="swallowed-cancel",
    severity=Severity.WARNING,
    page=__doc__,
    bad="""\
async def charge(cents: int) -> None:
    "use step"


async def order(cents: int) -> str:
    "use workflow"
    try:
        await charge(cents)
    except BaseException:
        return "failed"
    return "paid"
""",
    good="""\
async def charge(cents: int) -> None:
    "use step"


async def order(cents: int) -> str:
    "use workflow"
    try:
        await charge(cents)
    except Exception:
        return "failed"
    return "paid"
""",
)

_LOGGING = ("critical", "debug", "error", "exception", "info", "log", "warning")


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each handler that ends a cancellation unasked."""
    for module, _, nodes in functions(program):
        for node in nodes:
            if not isinstance(node, ast.Try | ast.TryStar) or not awaits(node.body):
                continue
            handler = _swallowing(program, node)
            if handler is None:
                continue
            what = "`except BaseException`" if handler.type is not None else "A bare `except`"
            yield RULE.at(
                module,
                handler,
                f"{what} also catches asyncio.CancelledError, which is how the cancellation of a "
                "run arrives, and this one does not raise it again: the run would go on.",
                "Write `except Exception:`, or end the block with `raise`.",
            )


def _swallowing(program: Program, statement: ast.Try | ast.TryStar) -> ast.ExceptHandler | None:
    for handler in statement.handlers:
        types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        if any(kind is not None and _is_cancelled(program, kind) for kind in types):
            return None  # it was thought of
        if any(kind is None or _is_base(kind) for kind in types):
            return None if _lets_go(handler) else handler
    return None


def _is_cancelled(program: Program, node: ast.expr) -> bool:
    target = program.reach.meaning.get(node)
    return isinstance(target, External) and target.member == "CancelledError"


def _is_base(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "BaseException"


def _lets_go(handler: ast.ExceptHandler) -> bool:
    """Whether the handler raises, or hands the exception on to where it may be raised."""
    for node in own_nodes(handler.body):
        match node:
            case ast.Raise():
                return True
            case ast.Call(func=function, args=args, keywords=keywords) if not _speaks(function):
                if any(_is_caught(handler, a) for a in [*args, *(k.value for k in keywords)]):
                    return True
            case ast.Assign(value=value) | ast.Return(value=ast.expr() as value):
                if _is_caught(handler, value):
                    return True
    return False


def _is_caught(handler: ast.ExceptHandler, node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == handler.name


def _speaks(function: ast.expr) -> bool:
    """Whether a call only says what happened."""
    if isinstance(function, ast.Name):
        return function.id in ("isinstance", "print", "repr", "str", "type")
    return isinstance(function, ast.Attribute) and function.attr in _LOGGING

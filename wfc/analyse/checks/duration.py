"""A duration or a moment that cannot be read.

Durations are a number of seconds, a timedelta, or a text of a number and a unit: `"500ms"`,
`"10s"`, `"5 minutes"`, `"1.5h"`, `"7 days"`, `"2 weeks"`, `"1 month"` (30 days) or `"1 year"`. They
are not negative. A moment, which `sleep`, `delay=`, `deadline=` and `retry_after=` take as well, is
a datetime with a time zone: without one it would be another moment on another machine. `asyncio`
takes a number of seconds and nothing else. Anything else raises when the line is reached, which in
a workflow may be weeks after the start.

Write a duration, or compute the moment: `datetime.now(UTC) + timedelta(days=1)`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any

from wfc.analyse.runtime_calls import argument, runtime_calls
from wfc.analyse.types import Types, types_of
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import External, Module, Program
from workflow.policy.durations import due_of, seconds_of

RULE = Rule(
    code="WF107",
    name="duration",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
from workflow import sleep


async def remind(email: str) -> None:
    "use step"


async def trial(email: str) -> None:
    "use workflow"
    await sleep("tomorrow")
    await remind(email)
""",
    good="""\
from workflow import sleep


async def remind(email: str) -> None:
    "use step"


async def trial(email: str) -> None:
    "use workflow"
    await sleep("1 day")
    await remind(email)
""",
)

_RETRY = "workflow.RetryableError"
# What takes a duration: the name and the position of the parameter, and whether a moment will do.
_TAKES: dict[str, tuple[tuple[str, int | None, bool], ...]] = {
    "workflow.sleep": (("when", 0, True),),
    "workflow.create_hook": (("timeout", None, False),),
    "workflow.create_webhook": (("timeout", None, False),),
    "workflow.pending_action": (("timeout", None, False),),
    "workflow.fetch": (("timeout", None, False),),
    "workflow.step_options": (("timeout", None, False), ("backoff", None, False)),
    "workflow.Backoff": (("initial", 0, False), ("max", 2, False)),
    _RETRY: (("retry_after", None, True),),
    **dict.fromkeys(
        ("workflow.api.with_options", "workflow.sync.with_options"),
        (("delay", None, True), ("deadline", None, True), ("grace", None, False)),
    ),
}
_OF_ASYNCIO = {
    "asyncio.sleep": ("delay", 0),
    "asyncio.timeout": ("delay", 0),
    "asyncio.wait_for": ("timeout", 1),
    "asyncio.wait": ("timeout", None),
    "asyncio.as_completed": ("timeout", None),
}
_UNITS = ("milliseconds", "seconds", "minutes", "hours", "days", "weeks", "months", "years")
WRITE = (
    'Write a number of seconds, or a text such as "10s", "5 minutes", "1.5h", "7 days" or '
    '"1 month", or a timedelta.'
)
_MOMENT = " For a moment, give a datetime with a time zone."
# The last positional parameter of each that may be the zone.
_MAKES_A_MOMENT = {
    "datetime.datetime": 7,
    "datetime.datetime.now": 0,
    "datetime.datetime.today": None,
    "datetime.datetime.utcnow": None,
    "datetime.datetime.fromtimestamp": 1,
}
_ZONE = {"datetime.datetime.now": "tz", "datetime.datetime.fromtimestamp": "tz"}


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each duration that is written down and cannot be read."""
    types = types_of(program)
    for call in runtime_calls(program):
        for name, position, moment in _TAKES.get(call.name, ()):
            value = argument(call.node, name, position)
            if value is None:
                continue
            if moment and (made := _naive(types, call.module, value)) is not None:
                yield RULE.at(
                    call.module,
                    value,
                    f"{made}() gives a datetime without a time zone, which names no single moment. "
                    + _consequence(call.name, "TypeError"),
                    "Give it a zone: `datetime.now(UTC)`, `datetime(..., tzinfo=UTC)`, or "
                    '`tzinfo=ZoneInfo("Europe/Berlin")`, with UTC from datetime.',
                )
            elif (text := unreadable(value, moment)) is not None:
                if call.name == _RETRY and isinstance(value, ast.UnaryOp):
                    continue  # a time that has passed: at once
                yield RULE.at(
                    call.module,
                    value,
                    f"{text} is not a duration. {_consequence(call.name, 'ValueError')}",
                    guess(value) + WRITE + _MOMENT * moment,
                )
    yield from _asyncio(program)


def _asyncio(program: Program) -> Iterator[Diagnostic]:
    for module, node in program.workflow_code():
        if not isinstance(node, ast.Call):
            continue
        meaning = program.reach.meaning.get(node.func)
        if not isinstance(meaning, External) or (taken := _OF_ASYNCIO.get(str(meaning))) is None:
            continue
        match value := argument(node, *taken):
            case ast.Constant(value=str(text)):
                seconds = _result(seconds_of, text)
                yield RULE.at(
                    module,
                    value,
                    f"{meaning} takes a number of seconds, and {text!r} is text.",
                    f"Write {seconds:g}." if seconds is not None else "Write a number.",
                )


def unreadable(value: ast.expr, moment: bool = False) -> str | None:
    """The text of a constant that is no duration; None for one that is, and for what is computed.

    `None` itself is what leaving the argument out gives, and not looked at.
    """
    given = constant(value)
    if given is None:
        return None
    read: Callable[[Any], object] = (lambda v: due_of(v, 0)) if moment else seconds_of
    return ast.unparse(value) if _result(read, given) is None else None


def constant(value: ast.expr) -> Any:
    """The value of a constant, also of a negative number; None for what is computed."""
    match value:
        case ast.Constant(value=given) if given is not ...:
            return given
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
    return None


def _result(read: Callable[[Any], Any], given: object) -> Any:
    try:
        return read(given)
    except (TypeError, ValueError):
        return None


def guess(value: ast.expr) -> str:
    """What was probably meant by a text with a misspelt unit, as a sentence."""
    match value:
        case ast.UnaryOp():
            return "A duration is not negative. "
        case ast.Constant(value=str(text)):
            number, _, unit = text.strip().partition(" ")
            close = get_close_matches(unit.lower(), _UNITS, 1, 0.7)
            if close and _result(seconds_of, f"{number} {close[0]}") is not None:
                return f'Did you mean "{number} {close[0]}"? '
    return ""


def _naive(types: Types, module: Module, value: ast.expr) -> str | None:
    """The function that makes the datetime without a zone that `value` is, if it is one."""
    while isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add | ast.Sub):
        value = value.left
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Name | ast.Attribute):
        return None
    name = str(types.target(module, value.func))
    if name not in _MAKES_A_MOMENT:
        return None
    if any(isinstance(a, ast.Starred) for a in value.args) or any(
        k.arg in (None, "tzinfo", _ZONE.get(name)) for k in value.keywords
    ):
        return None
    place = _MAKES_A_MOMENT[name]
    if place is not None and len(value.args) > place:
        return None
    return name.removeprefix("datetime.")


def _consequence(name: str, error: str) -> str:
    if name == _RETRY:
        return "The step would be tried again after its back-off instead."
    return f"{name.rpartition('.')[2]}() raises {error} for it."

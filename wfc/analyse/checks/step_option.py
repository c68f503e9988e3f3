"""A step has an option that does not exist, or that cannot have this value.

`@step_options(...)`, or attributes below the function such as `charge.max_retries = 5`, say how a
step is retried and where it runs. A wrong value raises when a worker imports the module, and the
worker does not start. A misspelt attribute raises nowhere: the option is just not set.

* `max_retries`: a whole number from 0, how often it is tried again after the first attempt.
* `timeout`: a duration above 0. Leave it out for no limit.
* `backoff`: a duration, or a `Backoff`.
* `run_in`: `"process"`, or left out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from difflib import get_close_matches

from wfc.analyse.checks.duration import WRITE, constant, guess, unreadable
from wfc.analyse.options import OPTION_NAMES, SetOption, options_set
from wfc.diagnostics import Diagnostic, Rule, Severity
from wfc.model import Kind, Marked, Program

RULE = Rule(
    code="WF015",
    name="step-option",
    severity=Severity.ERROR,
    page=__doc__,
    bad="""\
from workflow import step_options


@step_options(max_retries=-1)
async def charge(cents: int) -> str:
    "use step"
    return f"charged {cents}"
""",
    good="""\
from workflow import step_options


@step_options(max_retries=0)
async def charge(cents: int) -> str:
    "use step"
    return f"charged {cents}"
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each such option, as far as its value is written down."""
    for step in program.of(Kind.STEP):
        for option in options_set(step):
            found = _misspelt(step, option) if option.name not in OPTION_NAMES else _wrong(option)
            if found is not None:
                yield RULE.at(step.module, *found)


def _misspelt(step: Marked, option: SetOption) -> tuple[ast.expr, str, str] | None:
    """An attribute that is nearly an option; the others are the user's own."""
    close = get_close_matches(option.name, OPTION_NAMES, 1, 0.75)
    if option.attribute is None or not close:
        return None
    name = step.node.name
    return (
        option.attribute,
        f"Steps have no option {option.name}, so {name}.{option.name} sets nothing.",
        f"Did you mean {name}.{close[0]}?",
    )


def _wrong(option: SetOption) -> tuple[ast.expr, str, str] | None:
    value, given, shown = option.value, constant(option.value), ast.unparse(option.value)
    if given is None:
        return None
    match option.name:
        case "max_retries" if not _is_count(given):
            said = f"The option max_retries is a whole number from 0, and this is {shown}."
            instead = "Write how often the step is tried again: 0 is one attempt only."
        case "run_in" if given != "process":
            said = f'The option run_in is "process" or left out, and this is {shown}.'
            instead = (
                'Write `run_in="process"` for a process of its own. Left out, an async def runs in '
                "the worker's event loop, and a def in a thread."
            )
        case "timeout" if given == 0:
            said = "A timeout is longer than 0."
            instead = "Leave it out for no limit."
        case ("timeout" | "backoff") as name if option.attribute and unreadable(value):
            said = f"The option {name} is a duration, and this is {shown}."
            instead = guess(value) + WRITE
        case _:
            return None
    return value, said, instead


def _is_count(given: object) -> bool:
    return isinstance(given, int) and not isinstance(given, bool) and given >= 0

"""Arguments that do not fit the signature of a step, a workflow or a function of `workflow`."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import wfc
from tests.compiler.projects import write_project
from wfc.analyse.checks.wrong_arguments import OPTIONS_OF_START
from workflow.api import with_options

TEXT = """\
import asyncio
import functools

from workflow import Backoff, RetryableError, create_hook, fetch, sleep, step_options
from workflow import sync
from workflow.api import start, with_options


def traced(function):
    @functools.wraps(function)
    def traced_function(*args, **kwargs):
        return function(1, *args, **kwargs)

    return traced_function


async def step(a, b=1, /, c=2, *, d=3) -> int:
    "use step"
    return a


@step_options(max_retries=0)
async def anything(*args, **kwargs) -> int:
    "use step"
    return 1


@traced
async def traced_step(a, b) -> int:
    "use step"
    return a


class Cart:
    @staticmethod
    async def make(size) -> int:
        "use step"
        return size


async def child(x, y=0) -> int:
    "use workflow"
    return x


async def flow(n, args=(), kwargs={}) -> None:
    "use workflow"
    %s


async def route(n) -> None:
    %s
"""
IN_WORKFLOW = {
    "await step()": "missing a required argument: 'a'",
    "await step(1, 2, 3, 4)": "too many positional arguments",
    "await step(1, e=2)": "got an unexpected keyword argument 'e'",
    "await step(*args, e=2)": "got an unexpected keyword argument 'e'",
    "await step(1, 2, 3, c=4)": "multiple values for argument 'c'",
    "await Cart.make()": "missing a required argument: 'size'",
    "await Cart.make(siz=1)": "Did you mean size? It takes make(size).",
    "await start(child)": "the workflow child: missing a required argument: 'x'",
    "await with_options(delay=1).start(child, 1, 2, 3)": "too many positional arguments",
    "await sleep()": "missing a required argument: 'when'",
    "await sleep(1, 2)": "too many positional arguments",
    "await asyncio.gather([step(1), step(2)])": "Write a star before it",
    "await asyncio.gather([step(i) for i in args], return_exceptions=True)": "one by one",
    "await asyncio.gather(step(i) for i in args)": "one by one",
    "await create_hook(timeout=3, tokn='x')": "Did you mean token?",
    "await fetch('https://a.example', timout=3)": "Did you mean timeout?",
    "Backoff(inital=3)": "Did you mean initial?",
    "raise RetryableError('x', retry_afer=3)": "Did you mean retry_after?",
    "await with_options(dealy=3).start(child, 1)": "Did you mean delay?",
}
RIGHT = (
    "await step(1)",
    "await step(1, 2, c=3, d=4)",
    "await step(*args)",
    "await step(**kwargs)",
    "await anything(1, 2, a=3)",
    "await traced_step(1)",
    "await Cart.make(1)",
    "await start(child, 1, y=2)",
    "await asyncio.gather(*[step(i) for i in args])",
    "await asyncio.gather(step(1))",
    "await start(child, *args, **kwargs)",
)


def findings(inside: str, outside: str, root: Path) -> list[str]:
    text = TEXT % (inside, outside)
    result = wfc.build(write_project(root, text), write=False, cache=False)
    return [f"{d.message} {d.fix}" for d in result.diagnostics if d.code == "WF915"]


@pytest.mark.parametrize("call", IN_WORKFLOW)
def test_a_call_that_does_not_fit_is_found(call: str, tmp_path: Path) -> None:
    """The finding says what does not fit, and what the signature is."""
    [said] = findings(call, "pass", tmp_path)
    assert IN_WORKFLOW[call] in said
    assert "It takes " in said or "gather" in call


@pytest.mark.parametrize("call", RIGHT)
def test_a_call_that_fits_is_left_alone(call: str, tmp_path: Path) -> None:
    """What fits, what may fit, and what a decorator has changed."""
    assert findings(call, "pass", tmp_path) == []


@pytest.mark.parametrize(
    "call",
    [
        "await start(child)",
        "await start(child, 1, z=2)",
        "await with_options(delay=3).start(child, 1, 2, 3)",
        "sync.with_options(cancel_with_parent=True)",
    ],
)
def test_calls_of_the_application_are_held_to_it_as_well(call: str, tmp_path: Path) -> None:
    """A start outside of a workflow is one finding; a step that is called there is plain Python."""
    assert len(findings("pass", call, tmp_path)) == 1
    assert findings("pass", "await step(1, 2, 3, 4, 5)", tmp_path) == []


def test_the_list_of_options_is_that_of_the_api() -> None:
    """It is written down in the compiler, which does without importing `workflow.api`."""
    assert tuple(inspect.signature(with_options).parameters) == OPTIONS_OF_START

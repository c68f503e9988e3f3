"""The user's own functions, found behind decorators and in workflows that may not be called."""

from __future__ import annotations

import asyncio
import functools
import inspect
import traceback
from pathlib import Path
from typing import Any

import pytest

from tests.engine.forms import FILE, live
from workflow.engine.registry import Registry
from workflow.errors import DirectCallError, StepNotRegisteredError

DECORATED = """
import functools


def wrapping(function):
    @functools.wraps(function)
    async def wrapper(*args, **kwargs):
        return await function(*args, **kwargs)

    return wrapper


def opaque(function):
    async def wrapper(*args, **kwargs):
        return await function(*args, **kwargs)

    return wrapper


class Keeping:
    __slots__ = ("kept",)

    def __init__(self, function):
        self.kept = (function,)

    def __call__(self, *args):
        return self.kept[0](*args)


class Noting:
    def __init__(self, function):
        self.function = function

    def __call__(self, *args):
        return self.function(*args)


@wrapping
async def one(n: int):
    "use workflow"
    async def inner():
        "use step"
        return n
    return inner


@opaque
async def two(n: int):
    "use workflow"
    async def inner():
        "use step"
        return n
    return inner


@Noting
async def three(n: int):
    "use workflow"
    async def inner():
        "use step"
        return n
    return inner


@Keeping
def hidden(n):
    async def inner():
        "use step"
        return n
    return inner


class Flows:
    step_size = 2

    @staticmethod
    async def still(n: int = 1, *, loud: bool = False):
        "use workflow"

    @classmethod
    async def settle(cls, n: int):
        "use workflow"
        return __class__.step_size

    def method(self):
        async def inner():
            "use step"
            return __class__.step_size + self.n
        return inner
"""


def test_direct_calls_of_every_form_of_workflow_are_refused(tmp_path: Path) -> None:
    """Behind decorators, in closures and attributes, and as static and class methods."""
    module = live(tmp_path, DECORATED)
    registry = Registry()
    for name in ("one", "two", "three", "Flows.still", "Flows.settle"):
        target: Any = functools.reduce(getattr, name.split("."), module)
        for _ in range(2):  # a second registry of the same process changes nothing
            registry.workflow(f"workflow//{FILE}//{name}", target)
        with pytest.raises(DirectCallError, match=f"{name} is a workflow.*start"):
            asyncio.run(target(1))
        assert registry.id_of(target) == f"workflow//{FILE}//{name}"
    assert str(inspect.signature(module.one)) == "(n: int)"
    assert str(inspect.signature(module.Flows.still)) == "(n: int = 1, *, loud: bool = False)"
    assert str(inspect.signature(module.Flows.settle)) == "(n: int)"


@pytest.mark.parametrize("outer", ["one", "two", "three", "hidden", "Flows.method"])
def test_nested_steps_are_found_behind_decorators(tmp_path: Path, outer: str) -> None:
    """The user's own code, also inside of a workflow whose code has been replaced."""
    module = live(tmp_path, DECORATED)
    registry = Registry()
    for name in ("one", "two", "three"):
        registry.workflow(f"workflow//{FILE}//{name}", getattr(module, name))
    id = f"step//{FILE}//{outer}/inner"
    registry.nested(id, module, f"{outer}.<locals>.inner", max_retries=0)
    step = registry.find_step(id)
    assert step.options.max_retries == 0
    assert step.is_async
    captured = {"n": 5}
    if outer == "Flows.method":
        flows = module.Flows()
        flows.n = 5
        captured = {"self": flows, "__class__": module.Flows}
    function = step.bind(captured)
    assert asyncio.run(function()) == (7 if outer == "Flows.method" else 5)
    assert function.__code__.co_filename == str(tmp_path / FILE)


def test_a_nested_function_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A registration that does not fit the module says which function is missing where."""
    module = live(tmp_path, DECORATED)
    registry = Registry()
    for qualname in ("one.<locals>.gone", "gone.<locals>.inner", "Flows.<locals>.inner"):
        with pytest.raises(StepNotRegisteredError, match=r"there is no function .* `wfc build`"):
            registry.nested("step//x", module, qualname)


def test_a_direct_call_is_told_at_the_users_own_line(tmp_path: Path) -> None:
    """The traceback ends at the workflow's `async def`, shows nothing of ours, and names the
    function to give to start()."""
    module = live(tmp_path, 'async def main(n: int):\n    "use workflow"\n    return n\n')
    Registry().workflow(f"workflow//{FILE}//main", module.main)
    with pytest.raises(DirectCallError, match=r"`await start\(main, \.\.\.\)`") as caught:
        asyncio.run(module.main(1))
    text = "".join(traceback.format_exception(caught.value))
    assert f'{FILE}", line 1, in main\n    async def main(n: int):\n' in text
    assert "{message}" not in text
    assert "engine/live_code.py" not in text

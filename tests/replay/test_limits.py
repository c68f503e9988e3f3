"""A body that does not wait is stopped at a count of its rounds, the same in every process."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from tests.replay.drive import Driver, step
from tests.sandbox.snippets import VirtualRun, run_snippet, space_of
from workflow.errors import BusyWorkflowError
from workflow.replay import limits

HEAD = """
import asyncio, itertools
class Endless:
    def __iter__(self):
        return self
    def __next__(self):
        return 1
class Items:
    def __getitem__(self, place):
        return 1
def double(n):
    "Calls itself twice."
    if n: double(n - 1); double(n - 1)
def even(n): return n and (odd(n - 1), odd(n - 1))
def odd(n): return n and (even(n - 1), even(n - 1))
class Tree:
    def grow(self, n): return n and [self.grow(n - 1), self.grow(n - 1)]
async def again():
    task = asyncio.create_task(again())
async def ready():
    while True:
        yield 1
async def main():
"""

ENDLESS = {
    "while": "    while True: pass\n",
    "for": "    for _ in Endless(): pass\n",
    "async for": "    async for _ in ready(): pass\n",
    "count": "    next(n for n in itertools.count() if n < 0)\n",
    "cycle": "    any(n for n in itertools.cycle([0]))\n",
    "repeat": "    all(itertools.repeat(1))\n",
    "calls": "    double(60)\n",
    "calls of each other": "    even(60)\n",
    "methods": "    Tree().grow(60)\n",
    "__next__ called by C": "    all(Endless())\n",
    "star": "    [*Endless()]\n",
    "__getitem__ called by C": "    0 in Items()\n",
    "iter until": "    all(iter(lambda: 1, 0))\n",
    "growing list": "    items = [1]\n    for item in items: items.append(item)\n",
    "caught": "    while True:\n        try: pass\n        except Exception: pass\n",
    "caught around": "    try:\n        while True: pass\n    except BaseException: return 1\n",
    "sleep(0)": "    while True: await asyncio.sleep(0)\n",
    "tasks": "    await asyncio.create_task(again())\n    await asyncio.Event().wait()\n",
    "callbacks": (
        "    loop = asyncio.get_running_loop()\n"
        "    def f(): loop.call_soon(f)\n"
        "    f()\n    await asyncio.Event().wait()\n"
    ),
}


class Watched(VirtualRun):
    """Keeps what the run was ended with."""

    ended_with: BaseException | None = None

    def abort(self, error: BaseException) -> None:
        self.ended_with = self.ended_with or error


@pytest.mark.parametrize("name", ENDLESS)
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
def test_every_kind_of_endless_loop_is_stopped(name: str) -> None:
    """The run is ended with the named error, whether or not the body catches it."""
    run = Watched()
    run.loop.rounds = 2000
    # AssertionError: the snippet goes on waiting, as its callbacks were dropped.
    with contextlib.suppress(BusyWorkflowError, AssertionError):
        run_snippet(HEAD + ENDLESS[name], run)
    assert isinstance(run.ended_with, BusyWorkflowError)
    assert run.ended_with.rounds == 2000
    with run.loop:
        run.loop.dismiss()


def test_it_stops_at_the_same_round() -> None:
    """The count does not depend on time: the same rounds are made each time."""
    source = "made = []\ndef spin():\n    while True: made.append(1)\n"
    counts = []
    for _ in range(3):
        space = space_of(source)
        limits.begin(700)
        with pytest.raises(BusyWorkflowError):
            space["spin"]()
        counts.append(len(space["made"]))
    limits.begin()
    assert counts == [700, 700, 700]


def test_each_turn_counts_anew_and_nested_runs_apart() -> None:
    """Entering the loop of a run begins a count, leaving it goes on with the one before."""
    outer, inner = VirtualRun(), VirtualRun()
    outer.loop.rounds, inner.loop.rounds = 50, 10
    with outer.loop:
        for _ in range(40):
            limits.tick()
        with inner.loop:
            for _ in range(10):
                limits.tick()
            with pytest.raises(BusyWorkflowError):
                limits.tick()
            assert limits.overrun() is not None
        assert limits.overrun() is None
        for _ in range(10):
            limits.tick()
    with outer.loop:
        for _ in range(50):
            limits.tick()


def test_rounds_and_callbacks_add_up_exactly() -> None:
    """However many are handed out at a time, no round is lost or made up."""
    random = Random(7)
    before = limits.begin(50_000)
    used = 0
    while used < 49_000:
        for _ in range(count := random.choice([0, 1, 900, 1024, 3000])):
            limits.tick()
        limits.spend(limits.CALLBACK)
        used += count + limits.CALLBACK
        # What happens in a count of its own leaves this one as it was.
        outside = limits.begin(random.choice([5, 2000]))
        limits.tick()
        limits.resume(outside)
    for _ in range(50_000 - used):
        limits.tick()
    for _ in range(3):
        with pytest.raises(BusyWorkflowError):
            limits.tick()
        with pytest.raises(BusyWorkflowError):
            limits.spend(1)
    limits.resume(before)


def test_callbacks_are_rounds_too() -> None:
    """Also where nothing in them is counted: each is worth CALLBACK rounds."""
    run = Watched()
    run.loop.rounds = 40 * limits.CALLBACK
    made: list[int] = []

    def again() -> None:
        made.append(1)
        if len(made) < 1000:
            run.loop.call_soon(again)

    with run.loop:
        run.loop.call_soon(again)
        run.loop.run_until_idle()
        run.loop.dismiss()
    assert isinstance(run.ended_with, BusyWorkflowError)
    assert len(made) == 40


def test_an_interrupt_between_portions_loses_nothing() -> None:
    """Whoever took the end of a portion without handing out the next one is followed by others."""
    before = limits.begin(10)
    for _ in range(100):
        assert next(limits.FUEL) is True
    for _ in range(10):
        limits.tick()
    with pytest.raises(BusyWorkflowError):
        limits.tick()
    limits.resume(before)


def test_modules_are_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop at the top level of a module is stopped while the module is imported."""
    monkeypatch.setattr(limits, "ROUNDS", 1000)
    assert space_of("x = 0\nwhile x < 1000: x += 1\n")["x"] == 1000
    with pytest.raises(BusyWorkflowError):
        space_of("x = 0\nwhile x < 1001: x += 1\n")


DEEP = """
async def main(step):
    depth = 0
    def down():
        nonlocal depth
        depth += 1
        down()
    try:
        down()
    except RecursionError:
        pass
    await step("reached", depth=depth)
async def endless():
    await endless()
async def never_reached(step):
    await endless()
"""


def _at_height(height: int, call: Callable[[], Any]) -> Any:
    return _at_height(height - 1, call) if height else call()


def test_a_body_recurses_as_deep_wherever_it_is_called_from() -> None:
    """RecursionError comes at the same call, live and replayed, whatever is on the stack below; and
    other threads keep the limit they had."""
    space = space_of(DEEP)
    before = sys.getrecursionlimit()

    async def body() -> None:
        await space["main"](step)

    driver = _at_height(300, lambda: Driver(body))
    assert driver.log[1].payload == Driver(body).log[1].payload
    _at_height(50, driver.replayed)  # else it says that the argument of the step is another one
    assert sys.getrecursionlimit() == before


def test_it_recurses_as_deep_in_a_later_turn() -> None:
    """What counts is what is below this turn, not what was below the first one."""
    space = space_of(DEEP)

    async def body() -> None:
        await space["main"](step)
        await space["main"](step)

    low = Driver(body)
    low.complete(None)
    high = Driver(body)
    _at_height(300, lambda: high.complete(None))
    depths = [event.payload for event in high.log if event.type == "step_created"]
    assert depths == [event.payload for event in low.log if event.type == "step_created"]
    assert depths[0] == depths[1]


def test_recursion_without_end_fails_the_run_alone() -> None:
    """A body that recurses for ever ends its run with RecursionError; the host goes on."""
    space = space_of(DEEP)

    async def body() -> None:
        await space["never_reached"](step)

    error = Driver(body).error
    assert isinstance(error, RecursionError)
    assert "in the workflow" in str(error)

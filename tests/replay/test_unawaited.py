"""Calls that are made and never awaited, where the build cannot see it: told at their line."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.replay.drive import Driver, step
from workflow import sleep


async def in_a_text() -> None:
    str(step("a")), await step("b")


async def in_a_list() -> None:
    calls = [step("a")]
    await step("b")
    del calls


async def left_at_the_end() -> list[int]:
    calls = {"later": step("a")}
    await step("b")
    return [len(calls)]


async def in_a_cycle() -> None:
    calls: list[Any] = [step("a")]
    calls.append(calls)
    del calls
    gc.collect()
    await step("b")


async def a_sleep() -> None:
    naps = [sleep(1)]
    await step("b")
    naps.clear()


async def behind_an_error() -> None:
    late = step("a")
    await asyncio.gather(step("b"))
    if asyncio.current_task() is None:
        await late


@pytest.mark.parametrize(
    ("body", "line", "name"),
    [
        (in_a_text, 1, "step"),
        (in_a_list, 1, "step"),
        (left_at_the_end, 1, "step"),
        (in_a_cycle, 1, "step"),
        (a_sleep, 1, "sleep"),
        (behind_an_error, 1, "step"),
    ],
)
def test_a_call_that_nobody_awaits_is_told(
    body: Callable[[], Awaitable[Any]], line: int, name: str
) -> None:
    """Once, as a warning of the run, with the line of the call; the run goes on."""
    run = Driver(body)  # type: ignore[arg-type]  # coroutine functions
    run.complete(None)
    assert run.types()[-1] == "run_completed"
    assert run.types().count("step_created") == 1
    said = [each for each in run.live.take_utterances() if "never awaited" in each[2]]
    assert len(said) == 1
    logger, level, text, _ = said[0]
    assert (logger, level) == ("workflow", 30)
    where = f"{__file__}:{body.__code__.co_firstlineno + line}: "
    assert text.startswith(f"{where}{name}() was called and never awaited")
    assert f"await {name}(...)" in text


def test_whoever_awaits_everything_hears_nothing() -> None:
    """Neither cancelled tasks nor dropped copies count as forgotten."""

    async def body() -> None:
        task = asyncio.create_task(step("a"))
        task.cancel()
        await asyncio.wait({asyncio.create_task(step(name)) for name in "bc"}, timeout=5)

    run = Driver(body)
    run.live.close()
    done = Driver(body)
    done.advance(5)
    gc.collect()
    assert done.types()[-1] == "run_completed"
    assert not run.live.take_utterances()
    assert not done.live.take_utterances()


def test_a_dropped_copy_is_silent() -> None:
    """What its frames hold is freed after it was closed, and is for the next copy to tell."""

    async def body() -> None:
        calls = [step("a")]
        await step("b")
        calls.clear()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run = Driver(body)
        run.live.close()
        del run
        gc.collect()
    assert not caught


def test_a_replay_does_not_differ_by_it() -> None:
    """When a coroutine is freed is not compared, as it can be up to the garbage collector."""
    run = Driver(in_a_list)
    run.complete(None)
    assert run.replayed().standing() == run.live.standing()


def test_coroutines_outside_of_a_body_are_reported_as_always() -> None:
    """The application's own forgotten calls are Python's business."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        str(step("a"))
    assert [str(each.message) for each in caught] == ["coroutine 'step' was never awaited"]

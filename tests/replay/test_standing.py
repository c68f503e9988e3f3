"""What two copies of a run are compared by, when a turn is checked against a replay."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.replay.drive import Driver, step
from workflow import create_hook, sleep
from workflow.authoring.context import body as running_body
from workflow.replay.live import LiveRun


async def waits() -> None:
    """Have one of everything open."""
    run = running_body("this body", "")
    run.start_child("workflow//test//child", {}, {})
    create_hook(token="t")
    run.call_step("s", {})
    await sleep(10)
    await step("never")


def _cancel_step(live: LiveRun) -> None:
    next(iter(live.steps.values())).cancel()


def _cancel_wait(live: LiveRun) -> None:
    next(iter(live._waits.values())).cancel()


def _end(live: LiveRun) -> None:
    live.ended = True


def _request(live: LiveRun) -> None:
    live.cancel_requested = True


def _wait_for_hook(live: LiveRun) -> None:
    next(iter(live.hooks.values())).next_payload()


def _wait_for_child(live: LiveRun) -> None:
    next(iter(live.children.values())).result()


def _later(live: LiveRun) -> None:
    live.loop.now += 1


DEVIATIONS: dict[str, Callable[[LiveRun], object]] = {
    "the end": _end,
    "the cancel request": _request,
    "open steps": _cancel_step,
    "open sleeps and time-outs": _cancel_wait,
    "hooks": _wait_for_hook,
    "children": _wait_for_child,
    "the count of calls": lambda live: live.token(),
    "the time": _later,
    "what is printed and logged": lambda live: live.loop.speak("print", 20, "more"),
    "random numbers drawn": lambda live: live.loop.random.random(),
}


def test_copies_that_were_fed_the_same_stand_the_same() -> None:
    """Nothing of it is the process's, and nothing is left out below."""
    one, two = Driver(waits), Driver(waits)
    assert one.live.standing() == two.live.standing()
    assert list(one.live.standing()) == list(DEVIATIONS)


@pytest.mark.parametrize("name", DEVIATIONS)
def test_a_deviation_is_seen_under_its_name(name: str) -> None:
    """Whatever else the body does with its variables, this much of a difference cannot hide."""
    one, two = Driver(waits), Driver(waits)
    with one.live.loop:
        DEVIATIONS[name](one.live)
    there, here = one.live.standing(), two.live.standing()
    assert [each for each in there if there[each] != here[each]] == [name]

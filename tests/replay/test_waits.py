"""The durable waits of a body: which is over first, and which of them a wake-up ends."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from tests.replay.drive import SECOND, START, Driver, meta_of, step
from workflow import pending_action, sleep
from workflow.errors import DivergenceError, WorkflowBlockedError


def test_waits_that_are_due_together_end_in_the_order_they_were_begun() -> None:
    """Earlier ones first; of those for the same moment the one that the body asked for first."""
    order: list[str] = []

    async def body() -> None:
        async def nap(name: str, seconds: int) -> None:
            await sleep(seconds)
            order.append(name)

        naps = [("a", 9), ("b", 5), ("c", 9), ("d", 5), ("e", 1), ("f", 9)]
        await asyncio.gather(*[nap(name, seconds) for name, seconds in naps])

    run = Driver(body)
    begun = [event.ref for event in run.log if event.type == "wait_created"]
    run.advance(20)
    ended = [event.ref for event in run.log if event.type == "wait_completed"]
    assert order == ["e", "b", "d", "a", "c", "f"]
    assert ended == [begun[n] for n in (4, 1, 3, 0, 2, 5)]


def test_time_outs_are_no_sleeps() -> None:
    """`wake_up` ends what the body sleeps through, not the limits it has set."""

    async def body() -> str:
        async with asyncio.timeout(100):
            await asyncio.gather(asyncio.sleep(20), sleep(10), step("s"))
        return "done"

    run = Driver(body)
    assert run.types().count("wait_created") == 3
    assert run.live.next_timer() == START + 10 * SECOND
    sleeps = [ref for ref, due in _dues(run).items() if due == START + 10 * SECOND]
    assert run.live.sleeps() == sleeps
    run.feed("wait_completed", sleeps[0])
    assert run.live.sleeps() == []


def _dues(run: Driver) -> dict[str, int]:
    return {e.ref: meta_of(e)["due"] for e in run.log if e.type == "wait_created"}


def test_a_sleep_until_now_is_no_wait() -> None:
    """Nothing is recorded for a moment that has come."""

    async def body() -> str:
        await sleep(0)
        await asyncio.sleep(0)
        return "awake"

    run = Driver(body)
    assert run.types() == ["run_created", "run_completed"]


def test_a_wait_ends_once() -> None:
    """The end of a wait that is not open belongs to a log of other code."""

    async def body() -> None:
        async with asyncio.timeout(5):
            await step("quick")
        await step("other")

    run = Driver(body)
    (wait,) = _dues(run)
    run.complete(None)
    with pytest.raises(DivergenceError, match="no such wait"):
        run.feed("wait_completed", wait)
    run.live.close()


def test_a_deadline_has_passed_when_its_moment_has_come() -> None:
    """Not a microsecond before; as every other wait."""

    async def body() -> None:
        await sleep(10)

    run = Driver(body)
    (ref,) = run.live.sleeps()
    run.live.deadline.waits = {"wait_of_the_deadline": START + 5}
    assert run.live.deadline.overdue(START + 4) is None
    assert run.live.deadline.overdue(START + 5) == ("wait_of_the_deadline", START + 5)
    due = START + 10 * SECOND
    assert run.live.first_due(due - 1) is None
    assert run.live.first_due(due) == (ref, due)


def test_a_body_with_a_step_at_work_does_not_wait_for_people_only() -> None:
    """It is paused when nothing but a person can move it: no step, sleep or time-out is open."""

    async def body() -> None:
        action = asyncio.create_task(pending_action("approve"))
        await step("s")
        await sleep(5)
        await action

    run = Driver(body)
    assert not run.live.paused
    run.feed("hook_created", run.ref("hook_requested"))
    assert not run.live.paused
    run.complete(None)
    assert not run.live.paused
    run.advance(5)
    assert run.live.paused


def test_what_is_due_never_is_no_wait() -> None:
    """Infinite timers, and those of the year 10,000, are for others to cancel, and not recorded."""

    async def body() -> list[Any]:
        said: list[Any] = []
        try:
            async with asyncio.timeout(5):
                await asyncio.sleep(math.inf)
        except TimeoutError:
            said.append("timed out")
        async with asyncio.timeout(math.inf):
            said.append(await asyncio.sleep(1, "in time"))
        task = asyncio.create_task(asyncio.sleep(10.0**30))
        await asyncio.sleep(0)
        task.cancel()
        said += await asyncio.gather(task, return_exceptions=True)
        return [str(each) for each in said]

    run = Driver(body)
    run.advance(5)
    run.advance(1)
    assert run.types().count("wait_created") == 2
    assert run.result == ["timed out", "in time", ""]
    run.replayed()


def test_a_body_that_only_waits_for_never_is_blocked() -> None:
    """Nothing would ever wake it, so it fails at once and says so."""

    async def body() -> None:
        await asyncio.sleep(math.inf)

    run = Driver(body)
    assert run.types() == ["run_created", "run_failed"]
    assert isinstance(run.error, WorkflowBlockedError)

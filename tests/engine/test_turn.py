"""One turn: what is fed, and what becomes of steps that the body gives up in it."""

from __future__ import annotations

import asyncio

from tests.replay.drive import SECOND, Driver, codec, step
from workflow.engine.turn import Turn


async def impatient() -> str:
    """Give a step one second."""
    try:
        await asyncio.wait_for(step("slow"), 1)
    except TimeoutError:
        await step("other")
    return "done"


def test_a_step_given_up_in_the_turn_it_failed_in_is_not_tried_again() -> None:
    """The retry that its failed attempt asked for is dropped with it."""
    run = Driver(impatient)
    (ref,) = run.live.steps
    turn = Turn(run.live, run.now + 2 * SECOND, ())
    turn.add_task(ref, "slow", b"", attempt=1)
    turn.end_due_waits(run.now + 2 * SECOND)
    append = turn.build(worker="w", fence=1, seen=0, release=False)
    assert append.add_tasks == ()
    assert append.drop_tasks == (ref,)
    assert [event.type for event in append.events] == ["wait_completed", "step_created"]


def test_the_late_result_of_a_step_that_was_given_up_is_dropped() -> None:
    """It leaves no event: the body does not wait for it any more."""
    run = Driver(impatient)
    (ref,) = run.live.steps
    run.advance(2)
    turn = Turn(run.live, run.now, ())
    turn.feed_result("step_completed", ref, "slow", codec.encode(1), None)
    assert turn.empty

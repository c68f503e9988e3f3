"""One turn: what is fed, and what becomes of steps that the body gives up in it."""

from __future__ import annotations

import asyncio

import msgspec

from tests.replay.drive import SECOND, Body, Driver, codec, step
from workflow import create_hook, set_attributes, sleep
from workflow.authoring.context import body as running_body
from workflow.engine.turn import Turn
from workflow.replay.live import LiveRun
from workflow.world.records import Letter


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


async def patient() -> None:
    """Sleep twice at once, and wait for people meanwhile."""
    await asyncio.gather(sleep(5), sleep(7), create_hook(token="t"))


def test_times_in_a_log_never_go_back() -> None:
    """The clock of the machine that has the run is behind that of the one before."""
    run = Driver(patient)
    ref = run.ref("hook_requested")
    run.now += 3 * SECOND
    run.feed("hook_created", ref)
    turn = Turn(run.live, run.now - 2 * SECOND, ())
    turn.read(Letter(kind="hook_received", n=1, ref=ref, payload=codec.encode(1)))
    append = turn.build(worker="w", fence=1, seen=1, release=True)
    assert [event.at for event in append.events] == [run.now]
    assert append.at == run.now


def test_all_waits_that_are_due_end_in_one_turn() -> None:
    """Earliest first; they are stamped with the time of the turn, which is not before theirs."""
    run = Driver(patient)
    turn = Turn(run.live, run.now + 8 * SECOND, ())
    turn.end_due_waits(run.now + 8 * SECOND)
    append = turn.build(worker="w", fence=1, seen=0, release=True)
    begun = [event.ref for event in run.log if event.type == "wait_created"]
    assert [(event.type, event.ref) for event in append.events] == [
        ("wait_completed", ref) for ref in begun
    ]
    assert {event.at for event in append.events} == {run.now + 8 * SECOND}
    assert append.next_timer is None


async def first_of_two() -> None:
    """Give the longer of two sleeps up when the other one is over, and go on."""
    tasks = [asyncio.create_task(sleep(day)) for day in ("1 day", "2 days")]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    tasks[1].cancel()
    await step("other")


async def sleeper() -> None:
    """Three sleeps at once, the last of them begun anew when it is over."""

    async def again() -> None:
        await sleep("3 days")
        await sleep("3 days")

    async with asyncio.timeout(1000):
        await asyncio.gather(sleep(5), sleep(7), again())


def turn_of(run: Driver, *letters: Letter) -> list[tuple[str, str]]:
    """Types and references of the events of a turn that reads these letters."""
    turn = Turn(run.live, run.now, ())
    for letter in letters:
        turn.read(letter)
    assert turn.eaten == [letter.n for letter in letters]
    return [(event.type, event.ref) for event in turn.events]


def test_a_wake_up_ends_no_sleep_that_another_end_has_cancelled() -> None:
    """Nobody waits for that one any more; the body goes on after the first."""
    run = Driver(first_of_two)
    (first, _) = run.live.sleeps()
    events = turn_of(run, Letter(kind="wake", n=1))
    assert events[0] == ("wait_completed", first)
    assert [type for type, _ in events] == ["wait_completed", "step_created"]


def test_a_wake_up_ends_the_sleeps_it_names() -> None:
    """Without names, all that are open when it is read; time-outs and later sleeps go on."""
    run = Driver(sleeper)
    _, second, third = run.live.sleeps()
    named = Letter(kind="wake", n=1, meta=msgspec.json.encode([second, "wait_unknown"]))
    assert turn_of(run, named) == [("wait_completed", second)]
    run = Driver(sleeper)
    sleeps = run.live.sleeps()
    events = turn_of(run, Letter(kind="wake", n=1))
    assert [ref for type, ref in events if type == "wait_completed"] == sleeps
    assert [type for type, _ in events].count("wait_created") == 1
    assert third in sleeps
    assert len(run.live.sleeps()) == 1


def test_letters_that_mean_nothing_any_more_are_used_up_without_an_event() -> None:
    """A second cancel request, and answers to what this body has not asked for."""
    run = Driver(first_of_two)
    cancel = Letter(kind="cancel", n=1, meta=b'{"reason": "stop"}')
    strays = [
        Letter(kind="cancel", n=2),
        Letter(kind="step_completed", n=3, ref="step_unknown", payload=codec.encode(1)),
        Letter(kind="hook_received", n=4, ref="hook_unknown", payload=codec.encode(1)),
        Letter(kind="child_ended", n=5, ref="wrun_unknown", meta=b'{"status": "completed"}'),
        Letter(kind="nudge", n=6),
    ]
    assert [type for type, _ in turn_of(run, *strays[1:])] == []
    run = Driver(lasting)
    assert [type for type, _ in turn_of(run, cancel, *strays)] == [
        "run_cancel_requested",
        "step_created",
    ]


async def lasting() -> None:
    """Clean up when cancelled."""
    try:
        await sleep("1 day")
    finally:
        await step("undo")


async def gives_up_at_once() -> None:
    """Call a step and give it up before anything else happens."""
    task = asyncio.create_task(step("never begun"))
    await asyncio.sleep(0)
    task.cancel()
    await step("kept")


def begun(body: Body, *, end: bool = False) -> tuple[Turn, LiveRun]:
    """The first turn of a run, or the second, in which its only step completes."""
    run = Driver(body)
    turn = Turn(run.live, run.now, () if end else run.log[1:])
    if end:
        turn.feed_result("step_completed", run.ref("step_created"), "s", codec.encode(1), None)
    return turn, run.live


def test_a_step_called_and_given_up_in_one_turn_is_nobodys() -> None:
    """It is in the log, and neither run here nor made a task."""
    turn, live = begun(gives_up_at_once)
    (given_up, kept) = [event for event in turn.events if event.type == "step_created"]
    assert turn.called_steps() == [kept]
    turn.add_task(given_up.ref, "never begun", b"")
    turn.add_task(kept.ref, "kept", b"")
    append = turn.build(worker="w", fence=1, seen=0, release=True)
    assert [task.step_id for task in append.add_tasks] == [kept.ref]
    assert append.drop_tasks == (given_up.ref,)
    live.close()


async def leaves_much_open() -> str:
    """End with a sleep, a hook and children that nobody waits for any more."""
    await step("s")
    run = running_body("this body", "")
    run.sleep_until(run.loop.now + SECOND)
    create_hook(token="t")
    for bound in (True, False):
        run.start_child("workflow//test//child", {}, {"cancel_with_parent": bound})
    return "done"


def test_the_last_append_leaves_nothing_open() -> None:
    """No timer, no token; it is the end, and no giving up; children bound to the run hear of it."""
    turn, live = begun(leaves_much_open, end=True)
    append = turn.build(worker="w", fence=1, seen=0, release=True)
    assert append.end == "completed"
    assert append.open_tokens == ()
    assert append.next_timer is None
    assert not append.release
    bound, free = [child.run_id for child in append.children]
    assert free not in {child for child, _ in append.letters}
    assert [(child, letter.kind) for child, letter in append.letters] == [(bound, "cancel")]
    live.close()


async def sets_attributes() -> None:
    """Set attributes twice in a turn, and wait."""
    await set_attributes({"tier": "gold", "old": "1"})
    await set_attributes({"old": None})
    await create_hook(token="t")


def test_what_a_body_sets_is_in_the_append() -> None:
    """Later values win over earlier ones; a run that opens a token is kept for its answer."""
    turn, live = begun(sets_attributes)
    append = turn.build(worker="w", fence=1, seen=0, release=True)
    assert append.attributes == {"tier": "gold", "old": None}
    assert [token.token for token in append.open_tokens] == ["t"]
    assert not append.release
    live.close()

"""Replaying a log: the same decisions, or a divergence at the right place."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from msgspec import structs

from tests.replay.drive import Driver, codec, numbered, replay, step
from workflow import create_hook, sleep
from workflow.errors import DivergenceError
from workflow.events import NewEvent
from workflow.replay.catch_up import same_decision


async def journey() -> str:
    """Steps, parallel steps, a sleep, two hooks: a bit of everything."""
    one = await step("one")
    two, three = await asyncio.gather(step("two", one=one), step("three"))
    await sleep(10)
    hooks = create_hook(token="a"), create_hook(token="b")
    answers = await asyncio.gather(*hooks)
    return f"{one} {two} {three} {answers} {random.Random(1).random()}"


def travelled() -> Driver:
    """The log of a whole journey."""
    run = Driver(journey)
    run.complete(1)
    run.complete(3, index=1)
    run.complete(2)
    run.advance(10)
    a, b = run.ref("hook_requested", 0), run.ref("hook_requested", 1)
    run.feed("hook_created", a)
    run.feed("hook_created", b)
    run.feed("hook_received", b, payload=codec.encode("B"))
    run.feed("hook_received", a, payload=codec.encode("A"))
    assert run.result.startswith("1 2 3 ['A', 'B']")
    return run


def test_every_prefix_of_a_log_replays() -> None:
    """Whatever was recorded before a crash, a replay arrives there and asks for nothing else."""
    log = numbered(travelled().log)
    for length in range(1, len(log) + 1):
        live, pending = replay(log[:length], journey)
        # What the log does not have yet is exactly what follows in the whole log.
        follows = []
        for event in log[length:]:
            if event.type in ("step_completed", "hook_received", "hook_created", "wait_completed"):
                break
            follows.append((event.type, event.ref))
        assert [(e.type, e.ref) for e in pending] == follows, length
        assert live.head == length


async def renamed() -> str:
    return str(await step("uno"))


async def other_argument() -> str:
    return str(await step("one", surprise=True))


async def one_more() -> str:
    one = await step("one")
    await step("extra")
    return str(one)


async def one_less() -> str:
    return "nothing to do"


async def other_order() -> str:
    await sleep(10)
    return str(await step("one"))


@pytest.mark.parametrize(
    ("body", "position", "asked"),
    [
        (renamed, 2, "uno"),
        (other_argument, 2, "other arguments"),
        (one_more, 4, "extra"),
        (one_less, 2, "run_completed"),
        (other_order, 2, "wait_created"),
    ],
)
def test_changed_code_diverges_at_the_first_difference(
    body: Callable[[], Awaitable[str]], position: int, asked: str
) -> None:
    """The error names the log position, what the log says, and what the code asked for."""
    with pytest.raises(DivergenceError) as caught:
        replay(numbered(travelled().log), body)  # type: ignore[arg-type]  # coroutine functions
    assert caught.value.position == position
    assert asked in caught.value.asked
    assert caught.value.recorded


def test_the_error_names_the_users_line() -> None:
    """The line is the one that asked, in the user's own file."""
    with pytest.raises(DivergenceError) as caught:
        replay(numbered(travelled().log), renamed)
    path, _, line = caught.value.source.rpartition(":")
    assert path == __file__
    assert int(line) == renamed.__code__.co_firstlineno + 1


async def gathered(*names: str) -> None:
    await asyncio.gather(
        step("a"),
        *[step(name) for name in names],
    )


async def slept() -> None:
    await asyncio.gather(step("a"), sleep(5))


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (lambda: gathered("other"), gathered.__code__.co_firstlineno + 3),
        (slept, slept.__code__.co_firstlineno + 1),
    ],
    ids=["step", "sleep"],
)
def test_the_line_of_a_call_that_is_a_task_of_its_own(
    body: Callable[[], Coroutine[Any, Any, None]], line: int
) -> None:
    """No frame of the body is on the stack when such a call is made. It is the line that made the
    coroutine, and never one of the program that the worker runs in."""
    log = numbered(Driver(lambda: gathered("b")).log)
    with pytest.raises(DivergenceError) as caught:
        replay(log, body)
    assert caught.value.source == f"{__file__}:{line}"


def test_a_log_with_an_orphan_fact_diverges() -> None:
    """A result of a step that the code never called is not swallowed."""
    log = numbered(travelled().log)
    short = [log[0], log[1], *log[3:4]]  # run_created, step one, then parallel calls without result
    with pytest.raises(DivergenceError):
        replay(numbered(list(short)), journey)


async def two_at_once() -> None:
    await asyncio.gather(step("a"), step("b"))


async def two_and_another() -> None:
    async def more() -> None:
        await step("a")
        await step("c")

    await asyncio.gather(more(), step("b"))


def test_a_request_the_log_does_not_have_is_found_at_once() -> None:
    """The next fact may not come while a decision of the code has no place in the log."""
    run = Driver(two_at_once)
    run.complete("A")
    run.complete("B")
    with pytest.raises(DivergenceError) as caught:
        replay(numbered(run.log), two_and_another)
    assert caught.value.position == 5
    assert "step_completed" in caught.value.recorded
    assert "c" in caught.value.asked


@pytest.mark.parametrize(
    ("type", "meta"),
    [
        ("step_completed", None),
        ("step_failed", None),
        ("wait_completed", None),
        ("hook_created", None),
        ("hook_conflict", b'{"run_id": "wrun_2"}'),
        ("hook_received", None),
        ("child_ended", b'{"status": "completed"}'),
    ],
)
def test_a_fact_that_answers_nothing_diverges(type: str, meta: bytes | None) -> None:
    """Of whatever kind it is: the error has its position, and says that nothing of it is open."""
    log = travelled().log[:2]
    stray = NewEvent(type=type, at=log[-1].at, ref="nobody", payload=codec.encode(1), meta=meta)
    with pytest.raises(DivergenceError) as caught:
        replay(numbered([*log, stray]), journey)
    assert caught.value.position == 3
    assert f"{type} (nobody) answers nothing that this code has open" in caught.value.hint


async def three_hooks() -> str:
    hooks = [create_hook(token=token) for token in "abc"]
    owner = await hooks[0].get_conflict()
    return f"held by {owner}"


def test_answers_that_come_after_the_end_are_passed_over() -> None:
    """All answers of one append are in the log, also when the body ends on the first of them; the
    next append goes behind the last one."""
    run = Driver(three_hooks)
    first, *others = [event for event in run.log if event.type == "hook_requested"]
    answers = [
        NewEvent(type="hook_conflict", at=run.now, ref=first.ref, meta=b'{"run_id":"wrun_2"}'),
        *[NewEvent(type="hook_created", at=run.now, ref=other.ref) for other in others],
    ]
    live, pending = replay(numbered([*run.log, *answers]), three_hooks)
    assert live.ended
    assert live.head == len(run.log) + 3
    assert [event.type for event in pending] == ["run_completed"]
    run.live.close()


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "child_created"},
        {"ref": "step_2"},
        {"name": "two"},
        {"payload": b"devl[2]"},
        {"payload": None},
        {"meta": b"{}"},
        {"meta": None},
    ],
)
def test_a_decision_is_the_same_in_all_its_parts(changed: dict[str, Any]) -> None:
    """Type, id, name, value and options count; the time it was made does not."""
    asked = NewEvent(
        type="step_created", at=1, ref="step_1", name="one", payload=b"devl[1]", meta=b'{"a":1}'
    )
    recorded = structs.replace(asked, at=2)
    assert same_decision(asked, recorded)
    assert not same_decision(asked, structs.replace(recorded, **changed))
    assert not same_decision(structs.replace(asked, **changed), recorded)

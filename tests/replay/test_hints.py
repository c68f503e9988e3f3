"""The hint of a divergence: what was probably changed in the code."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from tests.replay.drive import Body, Driver, codec, numbered, replay, step
from workflow import create_hook, set_attributes, sleep
from workflow.abi.flow_v1 import step as _wfc_step
from workflow.errors import DivergenceError
from workflow.events import Event


async def recorded() -> str:
    """One of everything."""
    one = await step("one", cents=5, currency="eur")
    await asyncio.gather(step("two"), step("three"))
    await sleep(10)
    await set_attributes({"state": "paid"})
    hook = create_hook(token="answer", metadata={"to": "ann"})
    await hook
    hook.dispose()
    await _wfc_step("last", {}, {"total": 7})
    return f"done {one}"


def log() -> list[Event]:
    """The log of `recorded`, to its end."""
    run = Driver(recorded)
    for value in (1, 2, 3):
        run.complete(value)
    run.advance(10)
    ref = run.ref("hook_requested")
    run.feed("hook_created", ref)
    run.feed("hook_received", ref, payload=codec.encode("yes"))
    run.complete(4)
    assert run.result == "done 1"
    return numbered(run.log)


def changed(**changes: Callable[..., Any]) -> Body:
    """`recorded` with some of its statements replaced."""

    async def body() -> str:
        async def usual_one() -> Any:
            return await step("one", cents=5, currency="eur")

        async def usual_pair() -> None:
            await asyncio.gather(step("two"), step("three"))

        async def usual_rest() -> None:
            hook = create_hook(token="answer", metadata={"to": "ann"})
            await hook
            hook.dispose()

        async def usual_last() -> None:
            await _wfc_step("last", {}, {"total": 7})

        async def usual_nap() -> None:
            await sleep(10)

        async def usual_mark() -> None:
            await set_attributes({"state": "paid"})

        one = await changes.get("one", usual_one)()  # type: ignore[no-untyped-call]
        await changes.get("pair", usual_pair)()
        await changes.get("nap", usual_nap)()
        await changes.get("mark", usual_mark)()
        await changes.get("rest", usual_rest)()
        await changes.get("last", usual_last)()
        return str(changes.get("result", lambda: f"done {one}")())

    return body


async def nothing() -> None:
    """Left out."""


def two(*, first: str, second: str) -> Callable[..., Any]:
    async def pair() -> None:
        await asyncio.gather(step(first), step(second))

    return pair


def calls(
    name: str, then: Callable[..., Any] | None = None, **arguments: Any
) -> Callable[..., Any]:
    async def call() -> Any:
        found = await step(name, **arguments)
        if then is not None:
            await then()
        return found

    return call


async def one_more_at_once() -> None:
    await asyncio.gather(step("zero"), step("two"), step("three"))


async def and_one_more() -> None:
    await asyncio.gather(step("two"), step("three"), step("four"))


async def only_two() -> None:
    await step("two")


async def hook_of_other_token() -> None:
    await create_hook(token="question", metadata={"to": "ann"})


async def hook_of_other_metadata() -> None:
    await create_hook(token="answer", metadata={"to": "bob"})


async def hook_kept() -> None:
    await create_hook(token="answer", metadata={"to": "ann"})


async def longer() -> None:
    await sleep(20)


async def other_mark() -> None:
    await set_attributes({"state": "open"})


async def other_capture() -> None:
    await _wfc_step("last", {}, {"total": 8})


def fails() -> str:
    raise ValueError("changed")


_TABLE: list[tuple[str, dict[str, Any], int, str]] = [
    ("renamed", {"one": calls("uno", cents=5, currency="eur")}, 2, "may have been renamed"),
    (
        "argument value",
        {"one": calls("one", cents=6, currency="eur")},
        2,
        "the argument 'cents' has another value;",
    ),
    ("argument gone", {"one": calls("one", cents=5)}, 2, "'currency' is not passed any more"),
    (
        "argument new",
        {"one": calls("one", cents=5, currency="eur", vat=1)},
        2,
        "the argument 'vat' is new",
    ),
    ("captured", {"last": other_capture}, 15, "the captured variable 'total' has another value"),
    ("added in front", {"pair": one_more_at_once}, 4, "'zero' was added in front of the"),
    ("added behind", {"pair": and_one_more}, 6, "'four' was added: the recorded run did not"),
    ("added between", {"one": calls("one", longer, cents=5, currency="eur")}, 4, "a sleep or"),
    ("removed of a pair", {"pair": only_two}, 5, "the step 'three' was called here: the call was"),
    ("removed", {"pair": nothing}, 4, "the order was changed, or the step 'two' was removed"),
    ("order", {"pair": two(first="three", second="two")}, 4, "was changed: the step 'two'"),
    ("same name, other call", {"pair": calls("last", total=8)}, 4, "'last' was added in front of"),
    ("duration", {"nap": longer}, 8, "the duration of the sleep or time-out was changed"),
    ("attributes", {"mark": other_mark}, 10, "other attributes are set"),
    ("token", {"rest": hook_of_other_token}, 11, "changed from 'answer' to 'question'"),
    ("metadata", {"rest": hook_of_other_metadata}, 11, "the metadata or the options of the hook"),
    ("not disposed", {"rest": hook_kept}, 14, "the end of the hook 'answer' was removed"),
    ("other result", {"result": lambda: "other"}, 17, "returns another value"),
    ("fails now", {"result": fails}, 17, "ends in another way: the error that ends"),
    ("ends early", {"one": nothing, "pair": nothing, "nap": nothing, "mark": nothing,
                    "rest": nothing, "last": nothing}, 2, "the workflow ends too early"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "position", "hint"),
    [row[1:] for row in _TABLE],
    ids=[row[0] for row in _TABLE],
)
def test_the_hint_says_what_was_probably_changed(
    changes: dict[str, Any], position: int, hint: str
) -> None:
    """Every kind of change has its hint, at the position of the first difference."""
    with pytest.raises(DivergenceError) as caught:
        replay(log(), changed(**changes))
    assert caught.value.position == position
    assert hint in caught.value.hint
    assert f"Likely cause: {caught.value.hint}" in str(caught.value)


async def twice(first: int, second: int) -> None:
    await asyncio.gather(step("mail", to=first), step("mail", to=second))


async def in_order() -> None:
    await twice(1, 2)


async def the_other_way_round() -> None:
    await twice(2, 1)


def test_two_calls_of_one_step_may_have_changed_places() -> None:
    """The recorded call comes second, and the one asked for is further on in the log."""
    run = Driver(in_order)
    with pytest.raises(DivergenceError) as caught:
        run.replayed(the_other_way_round)
    assert caught.value.position == 2
    assert caught.value.hint == "the order of the calls of the step 'mail' was changed"


def line_of(body: Callable[..., Any], text: str) -> str:
    lines, first = inspect.getsourcelines(body)
    (offset,) = [number for number, line in enumerate(lines) if text in line]
    return f"{__file__}:{first + offset}"


async def waits_before() -> None:
    await sleep(1)
    await step("one")


async def nap_and_step() -> None:
    await asyncio.gather(sleep(1), step("one"))


async def waits_for_good(nap: asyncio.Future[None]) -> None:
    await asyncio.wait({nap})


async def waits_with_nap() -> None:
    await waits_for_good(asyncio.ensure_future(sleep(1)))


async def returns() -> str:
    return "early"


async def raises() -> None:
    raise ValueError("no")


@pytest.mark.parametrize(
    ("body", "text"),
    [(returns, "async def returns"), (raises, "raise ValueError")],
)
def test_an_end_has_the_line_it_comes_from(body: Body, text: str) -> None:
    """Where the body failed, or which function returned; no line of whoever runs the worker."""
    run = Driver(waits_before)
    with pytest.raises(DivergenceError) as caught:
        run.replayed(body)
    assert caught.value.source == line_of(body, text)


def test_a_body_that_asks_for_nothing_has_the_line_it_waits_at() -> None:
    """Also where that is in a function which the workflow awaits."""
    with pytest.raises(DivergenceError) as caught:
        Driver(nap_and_step).replayed(waits_with_nap)
    assert caught.value.asked == "nothing"
    assert caught.value.source == line_of(waits_for_good, "asyncio.wait(")


def test_only_a_changed_value_may_come_from_a_clock() -> None:
    """An argument that was added or left out was changed in the code; names come before values."""
    with pytest.raises(DivergenceError) as caught:
        replay(log(), changed(one=calls("one", cents=5, vat=1)))
    assert caught.value.hint == (
        "the argument 'currency' is not passed any more, the argument 'vat' is new"
    )
    with pytest.raises(DivergenceError) as caught:
        replay(log(), changed(one=calls("one", cents=6, vat=1)))
    assert caught.value.hint == (
        "the argument 'currency' is not passed any more, the argument 'vat' is new, the argument "
        "'cents' has another value; the value may come from changed code, a clock or an unordered "
        "set"
    )


def test_the_unchanged_body_replays() -> None:
    """The table compares with a body that fits its log."""
    live, pending = replay(log(), changed())
    assert live.ended
    assert not pending


def test_a_fact_that_answers_nothing_is_named_at_its_position() -> None:
    """An orphan fact diverges where it stands, and not at the next decision."""
    events = log()
    orphan = next(event for event in events if event.type == "step_completed")
    shifted = [*events[:3], orphan, *events[3:]]
    with pytest.raises(DivergenceError) as caught:
        replay(numbered(list(shifted)), recorded)
    assert caught.value.position == 4
    assert caught.value.recorded.startswith("step_")


def test_another_id_for_the_same_call_is_told_apart() -> None:
    """A log whose ids were made differently is not blamed on the user's code."""
    with pytest.raises(DivergenceError, match="its id is not"):
        replay(log(), recorded, run_id="wrun_2")


async def swallows() -> str:
    try:
        await step("uno")
    except BaseException:
        await step("caught")
    return "swallowed"


def test_no_body_can_catch_a_divergence() -> None:
    """`except BaseException` sees neither the difference nor the end of the copy."""
    with pytest.raises(DivergenceError) as caught:
        replay(log(), swallows)
    assert caught.value.position == 2


async def answered_early() -> None:
    hook = create_hook(token="t")
    await hook.get_conflict()


async def answered_with_more() -> None:
    hook = create_hook(token="t")
    await asyncio.gather(hook.get_conflict(), step("more"))


def test_a_call_before_the_answer_of_a_hook_is_found_at_once() -> None:
    """What the code adds beside a hook is not mistaken for what the answer caused."""
    run = Driver(answered_early)
    run.feed("hook_created", run.ref("hook_requested"))
    with pytest.raises(DivergenceError) as caught:
        replay(numbered(run.log), answered_with_more)
    assert caught.value.position == 3
    assert "'more' was added" in caught.value.hint

"""The loop of a run: what it runs in a turn, what it holds, what of the host it keeps out."""

from __future__ import annotations

import asyncio
import decimal
import gc
import sys
import weakref
from contextvars import ContextVar
from typing import Any

import pytest

from tests.replay.drive import SECOND, START, Driver, step
from workflow import sleep

OF_THE_HOST: ContextVar[str] = ContextVar("of_the_host", default="untouched")


def test_a_turn_goes_on_until_nothing_is_ready() -> None:
    """However many callbacks that takes, nothing of a turn is left for the next one."""

    async def body() -> list[Any]:
        async def nudged(n: int) -> Any:
            for _ in range(n):
                await asyncio.sleep(0)
            return await step("s", n=n)

        return list(await asyncio.gather(*[nudged(n) for n in (0, 500, 3000)]))

    run = Driver(body)
    assert run.types() == ["run_created", *["step_created"] * 3]
    for n in range(3):
        run.complete(n)
    assert run.result == [0, 1, 2]


def test_tasks_and_futures_hash_in_the_order_of_their_creation() -> None:
    """A set of them is iterated in that order, wherever in memory they are."""
    seen: list[int] = []

    async def body() -> None:
        loop = asyncio.get_running_loop()
        for _ in range(30):
            seen.append(hash(loop.create_future()))
            seen.append(hash(asyncio.ensure_future(asyncio.sleep(0))))

    Driver(body)
    assert seen == list(range(seen[0], seen[0] + 60))


def test_a_time_that_is_reached_already_is_no_wait() -> None:
    """A timer for this moment, or one before, is a callback like any other; nothing is recorded."""
    order: list[str] = []

    async def body() -> None:
        loop = asyncio.get_running_loop()
        loop.call_at(loop.time(), order.append, "this moment")
        loop.call_later(-5, order.append, "before")
        loop.call_later(0, order.append, "no delay")
        await asyncio.sleep(0)

    run = Driver(body)
    assert run.types() == ["run_created", "run_completed"]
    assert order == ["this moment", "before", "no delay"]


def test_a_delay_is_exact_to_the_microsecond() -> None:
    """The clock of a run counts whole microseconds, and a delay is added to it as such."""

    async def body() -> None:
        asyncio.get_running_loop().call_later(0.000_123, str)
        await step("s")

    run = Driver(body)
    assert run.live.next_timer() == START + 123


def test_what_is_left_at_the_end_is_cancelled() -> None:
    """Every task that still waits gets the CancelledError it would get from asyncio, however many
    there are and whoever holds them."""
    ended: list[tuple[int, str]] = []

    async def body() -> str:
        async def background(n: int) -> None:
            try:
                await sleep("1 day")
            except BaseException as error:
                ended.append((n, type(error).__name__))
                raise

        tasks = [asyncio.create_task(background(n)) for n in range(200)]
        await asyncio.sleep(0)
        return f"{len(tasks)} tasks"

    assert Driver(body).result == "200 tasks"
    assert ended == [(n, "CancelledError") for n in range(200)]


def test_a_generator_that_is_let_go_of_stays_until_the_run_ends() -> None:
    """Freed at once, it would free what it holds at a moment that memory decides on."""
    held: list[weakref.ref[Any]] = []
    closed: list[bool] = []

    async def numbers() -> Any:
        try:
            yield 1
            yield 2
        finally:
            closed.append(True)

    async def body() -> None:
        generator = numbers()
        held.append(weakref.ref(generator))
        await anext(generator)
        del generator
        await step("s")

    run = Driver(body)
    gc.collect()
    assert held[0]() is not None
    assert closed == []
    run.complete(None)
    run.live.close()
    gc.collect()
    assert held[0]() is None
    assert closed == [], "it ends with its run, without a word"


def test_the_host_gets_its_loop_and_its_hooks_back() -> None:
    """After a turn, asyncio and the generators of the host are served as they were before."""

    def first(generator: Any) -> None: ...

    def last(generator: Any) -> None: ...

    async def body() -> None:
        await step("s")

    async def host() -> None:
        before = asyncio.get_running_loop()
        sys.set_asyncgen_hooks(firstiter=first, finalizer=last)
        run = Driver(body)
        assert tuple(sys.get_asyncgen_hooks()) == (first, last)
        assert asyncio.get_running_loop() is before
        run.complete(None)
        run.live.close()
        assert tuple(sys.get_asyncgen_hooks()) == (first, last)
        assert asyncio.get_running_loop() is before

    hooks = sys.get_asyncgen_hooks()
    try:
        asyncio.run(host())
    finally:
        sys.set_asyncgen_hooks(*hooks)


def test_the_body_begins_with_a_context_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither context variables nor the decimal arithmetic of the host reach it, in any turn."""

    async def body() -> list[str]:
        seen = [OF_THE_HOST.get(), str(decimal.Decimal(1) / 3)]
        OF_THE_HOST.set("of the body")
        await step("s")
        task = asyncio.create_task(step("t"))
        await task
        return [*seen, OF_THE_HOST.get(), str(decimal.Decimal(1) / 3)]

    monkeypatch.setattr(decimal.DefaultContext, "prec", 3)
    before = OF_THE_HOST.set("of the host")
    try:
        with decimal.localcontext(prec=4):
            run = Driver(body)
            run.complete(None)
            run.complete(None)
        assert OF_THE_HOST.get() == "of the host"
    finally:
        OF_THE_HOST.reset(before)
    third = "0." + "3" * 28
    assert run.result == ["untouched", third, "of the body", third]


def test_eager_tasks_are_refused() -> None:
    """A task that began inside of its own creation would change the order of all others."""

    async def body() -> None:
        coroutine = step("s")
        try:
            asyncio.get_running_loop().create_task(coroutine, eager_start=True)  # type: ignore[call-arg]
        finally:
            coroutine.close()

    assert str(Driver(body).error) == "eager tasks are not available in workflow code"


def test_the_clock_never_goes_back() -> None:
    """A fact that was stamped before the one before it leaves the time as it is."""

    async def body() -> list[float]:
        loop = asyncio.get_running_loop()
        times = [loop.time()]
        for _ in range(2):
            await step("s")
            times.append(loop.time())
        return times

    run = Driver(body)
    run.now = START + 5 * SECOND
    run.complete(None)
    run.now = START + 2 * SECOND
    run.complete(None)
    assert run.result == [START / SECOND, START / SECOND + 5, START / SECOND + 5]

"""What is left of a body when its run ends or its live copy is dropped."""

from __future__ import annotations

import asyncio
import gc

import pytest

from tests.replay.drive import Driver, step
from workflow import create_hook, set_attributes, sleep
from workflow.errors import InternalError
from workflow.replay import loop


def test_a_finished_body_never_runs_inside_another_run() -> None:
    """A task that was left over is ended with its own run, not by the garbage collector later."""

    async def leaves_a_task() -> str:
        async def background() -> None:
            try:
                await sleep("1 day")
            finally:
                create_hook(token="from the other run")

        cycle = [asyncio.create_task(background())]
        cycle.append(cycle)  # type: ignore[arg-type]  # only the collector can free it
        await step("s")
        return "done"

    async def collects() -> str:
        gc.collect()
        return "clean"

    first = Driver(leaves_a_task)
    first.complete(None)
    assert first.result == "done"
    del first
    second = Driver(collects)
    assert second.types() == ["run_created", "run_completed"]


def test_tasks_begun_while_a_copy_is_dropped_are_ended_with_it() -> None:
    """A body that goes on after its cancellation leaves nothing for the garbage collector."""

    async def goes_on() -> None:
        async def background() -> None:
            try:
                await step("b")
            finally:
                await step("undo b")

        try:
            await step("s")
        except asyncio.CancelledError:
            cycle = [asyncio.create_task(background())]
            cycle.append(cycle)  # type: ignore[arg-type]  # only the collector can free it
            await asyncio.gather(background(), background())

    async def collects() -> str:
        gc.collect()
        return "clean"

    first = Driver(goes_on)
    first.live.close()
    assert first.types() == ["run_created", "step_created"]
    del first
    second = Driver(collects)
    assert second.types() == ["run_created", "run_completed"]


def test_a_dropped_copy_with_nested_cleanup_is_not_kept() -> None:
    """However many `finally` blocks wait one around the other, the copy is freed."""

    async def nested() -> None:
        try:
            try:
                try:
                    await step("s")
                finally:
                    await step("undo 1")
            finally:
                await step("undo 2")
        finally:
            ended.append(True)
            await step("undo 3")

    ended: list[bool] = []
    before = len(loop._immortal)
    run = Driver(nested)
    run.live.close()
    assert ended == [True]
    assert len(loop._immortal) == before


def test_a_forgotten_task_lives_as_long_as_its_run() -> None:
    """Nobody holds the task but the loop; its call is still answered."""
    seen = []

    async def body() -> None:
        async def background() -> None:
            seen.append(await step("background"))

        asyncio.get_running_loop().create_task(background())
        await step("main")
        gc.collect()
        await step("again")

    run = Driver(body)
    run.complete("main", index=0)
    run.complete("answer", index=0)
    assert seen == ["answer"]


@pytest.mark.parametrize("ends", [True, False])
def test_a_body_that_swallows_its_cancellation_cannot_hang_us(ends: bool) -> None:
    """Dropping a live copy returns, whatever the body does about it."""

    async def stubborn() -> None:
        while not over:
            try:
                await sleep(30)
            except caught:
                continue

    async def restless() -> None:
        while True:
            try:
                await asyncio.sleep(0 if closing else 30)
            except asyncio.CancelledError:
                continue

    closing: list[bool] = []
    caught = (asyncio.CancelledError, GeneratorExit)
    over: list[bool] = []  # the coroutine is kept for ever: let it end with the interpreter
    run = Driver(stubborn if ends else restless)
    closing.append(True)
    before = run.types()
    run.live.close()
    assert run.types() == before
    assert run.live.ended
    over.append(True)


@pytest.mark.parametrize("error", [GeneratorExit, asyncio.CancelledError, KeyboardInterrupt])
def test_a_callback_that_raises_ends_the_run_or_is_logged(error: type[BaseException]) -> None:
    """An exception in a callback never leaves the loop of the run."""

    async def body() -> None:
        def callback() -> None:
            raise error("from a callback")

        asyncio.get_running_loop().call_soon(callback)
        await step("s")

    run = Driver(body)
    assert run.log[-1].type == "run_failed"


def test_nothing_is_decided_after_the_end() -> None:
    """What tasks that were left over do in their `finally` is not recorded, of whatever kind."""
    undone: list[str] = []

    async def body() -> str:
        async def background() -> None:
            hook = create_hook(token="t")
            child = asyncio.ensure_future(asyncio.sleep(5))
            try:
                await child
            finally:
                hook.dispose()
                await set_attributes({"left": "over"})
                undone.append("all")
                await step("undo")

        task = asyncio.create_task(background())
        await step("s")
        return "done" if not task.done() else "too early"

    run = Driver(body)
    run.complete(None)
    assert undone == ["all"]
    assert run.result == "done"
    assert run.types().count("run_completed") == 1
    assert run.live.standing()["open sleeps and time-outs"] == []


def test_a_second_request_does_not_disturb_the_cleanup() -> None:
    """A body is cancelled once: by the first request, or when its deadline has passed."""

    async def body() -> None:
        try:
            await sleep("1 day")
        finally:
            await step("undo")

    run = Driver(body)
    run.feed("run_cancel_requested")
    run.live.stop("the deadline has passed as well")
    run.feed("run_cancel_requested")
    assert not run.live.ended
    assert [event.type for event in run.complete(None)] == ["run_cancelled"]


def test_an_ended_run_is_fed_nothing() -> None:
    """That would be a mistake of ours, and is told as one."""

    async def body() -> None:
        await step("s")

    run = Driver(body)
    ref = run.ref("step_created")
    run.complete(None)
    with pytest.raises(InternalError, match="step_completed after its end"):
        run.feed("step_completed", ref)


def test_a_hook_disposed_at_once_still_tells_its_conflict() -> None:
    """The answer of the world is on its way: the body is not stuck."""

    async def body() -> str | None:
        hook = create_hook(token="t")
        hook.dispose()
        return await hook.get_conflict()

    run = Driver(body)
    assert not run.live.ended
    run.feed("hook_created", run.ref("hook_requested"))
    assert run.result is None

"""The payloads of a hook and those who wait for them, in one live run."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.replay.drive import Driver, codec, step
from workflow import create_hook
from workflow.errors import ContextError, InternalError


def send(run: Driver, *values: Any) -> None:
    for value in values:
        run.feed("hook_received", run.ref("hook_requested"), payload=codec.encode(value))


def test_who_waits_first_is_served_first() -> None:
    """Each payload goes to one waiter, in the order both came."""
    heard: list[str] = []

    async def body() -> None:
        hook = create_hook(token="t")

        async def listen(name: str) -> None:
            heard.append(f"{name} heard {await hook}")

        await asyncio.gather(*[listen(name) for name in ("ann", "ben", "cleo")])

    run = Driver(body)
    run.feed("hook_created", run.ref("hook_requested"))
    send(run, 1, 2, 3)
    assert heard == ["ann heard 1", "ben heard 2", "cleo heard 3"]


def test_a_payload_is_not_lost_with_a_waiter_that_has_gone() -> None:
    """Who was cancelled or was too late is passed over; without others the payload is kept."""
    heard: list[str] = []

    async def body() -> None:
        hook = create_hook(token="t")

        async def listen(name: str) -> None:
            heard.append(f"{name} heard {await hook}")

        gone = [asyncio.create_task(listen(name)) for name in ("ann", "ben")]
        await asyncio.sleep(0)
        stays = asyncio.create_task(listen("cleo"))
        await asyncio.sleep(0)
        for task in gone:
            task.cancel()
        await step("s")
        await stays
        late = asyncio.create_task(listen("dora"))
        await asyncio.sleep(0)
        late.cancel()
        await step("t")
        await listen("eve")

    run = Driver(body)
    run.feed("hook_created", run.ref("hook_requested"))
    send(run, 1)
    assert heard == ["cleo heard 1"]
    run.complete(None)
    send(run, 2)
    run.complete(None)
    assert heard == ["cleo heard 1", "eve heard 2"]
    assert run.result is None


def test_a_hook_that_is_disposed_tells_those_who_wait() -> None:
    """What had come before can still be taken; who waits for more, then or later, is told."""

    async def body() -> list[Any]:
        hook = create_hook(token="t")
        other = create_hook(token="u")
        waiting = asyncio.create_task(_taken(other))
        await step("s")
        hook.dispose()
        other.dispose()
        return [await hook, await hook, await waiting, await _taken(hook)]

    async def _taken(hook: Any) -> str:
        try:
            return str(await hook)
        except ContextError as error:
            return str(error)

    run = Driver(body)
    first, second = run.ref("hook_requested", 0), run.ref("hook_requested", 1)
    run.feed("hook_created", first)
    run.feed("hook_created", second)
    for value in (1, 2):
        run.feed("hook_received", first, payload=codec.encode(value))
    run.complete(None)
    assert run.result == [1, 2, "the hook 'u' was disposed", "the hook 't' was disposed"]


def test_waiting_for_the_answer_of_the_world_is_waiting() -> None:
    """A body that waits for its token to be opened does not wait for people."""

    async def body() -> None:
        await create_hook(token="t").get_conflict()
        await step("s")

    run = Driver(body)
    (hook,) = run.live.hooks.values()
    assert hook.awaited
    run.feed("hook_created", hook.ref)
    assert not hook.awaited
    assert hook.open


def test_a_hook_is_answered_once() -> None:
    """Two answers to one request would be a mistake of ours."""

    async def body() -> None:
        await create_hook(token="t")

    run = Driver(body)
    ref = run.ref("hook_requested")
    run.feed("hook_created", ref)
    with pytest.raises(InternalError, match="settled twice"):
        run.feed("hook_created", ref)
    run.live.close()

"""A divergence is for the engine: no body can catch it, hide it or act on it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.replay.drive import Driver, numbered, replay, step
from workflow.errors import DivergenceError

seen: list[str] = []
"""What the bodies below got to see while they were dropped."""


async def recorded() -> str:
    """What the log was written by."""
    await step("one")
    await asyncio.gather(step("two"), step("three"))
    return "done"


async def changed() -> None:
    await step("uno")


async def catches_everything() -> str:
    try:
        await changed()
    except BaseException as error:
        seen.append(type(error).__name__)
        await step("after")
    return "caught"


async def returns_in_finally() -> str:
    try:
        await changed()
    finally:
        return "finally"  # noqa: B012  # the point of it


async def suppresses() -> str:
    with contextlib.suppress(BaseException):
        await changed()
    return "suppressed"


async def catches_groups() -> str:
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(changed())
    except* BaseException as errors:
        seen.extend(type(error).__name__ for error in errors.exceptions)
    return "grouped"


async def gathers() -> str:
    found = await asyncio.gather(changed(), return_exceptions=True)
    seen.extend(type(error).__name__ for error in found)
    return "gathered"


async def shields() -> str:
    try:
        await asyncio.shield(changed())
    except BaseException as error:
        seen.append(type(error).__name__)
    return "shielded"


async def waits() -> str:
    task = asyncio.create_task(changed())
    await asyncio.wait([task])
    seen.append(str(task.done()))
    return "waited"


async def generates() -> str:
    async def values() -> AsyncIterator[int]:
        try:
            await changed()
            yield 1
        except BaseException as error:
            seen.append(type(error).__name__)
            yield 2

    return str([value async for value in values()])


async def retries() -> str:
    for _ in range(1000):
        try:
            await changed()
        except BaseException as error:
            seen.append(type(error).__name__)
            continue
    return "tried"


class Manager:
    async def __aenter__(self) -> None:
        """Nothing to do."""

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        seen.append(kind.__name__ if kind is not None else "")
        return True


async def manages() -> str:
    async with Manager():
        await changed()
    return "managed"


async def times_out() -> str:
    try:
        async with asyncio.timeout(None):
            await changed()
    except BaseException as error:
        seen.append(type(error).__name__)
    return "late"


async def calls_back() -> str:
    task = asyncio.create_task(changed())
    task.add_done_callback(lambda done: seen.append(str(done.cancelled() or done.exception())))
    with contextlib.suppress(BaseException):
        await task
    return "called back"


BODIES: list[Callable[[], Awaitable[str]]] = [
    catches_everything,
    returns_in_finally,
    suppresses,
    catches_groups,
    gathers,
    shields,
    waits,
    generates,
    retries,
    manages,
    times_out,
    calls_back,
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: str(body.__name__))
def test_no_body_catches_or_hides_a_divergence(body: Any) -> None:
    """It is raised to whoever replays, at the first difference; the body is dropped instead."""
    seen.clear()
    run = Driver(recorded)
    run.complete(1)
    run.complete(2)
    with pytest.raises(DivergenceError) as caught:
        replay(numbered(run.log), body)
    assert caught.value.position == 2
    assert "uno" in caught.value.asked
    assert not any("Divergence" in text for text in seen)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: str(body.__name__))
def test_no_body_catches_a_fact_that_is_not_its_own(body: Any) -> None:
    """An orphan fact stops the replay at its position, whatever the body waits in."""
    seen.clear()
    run = Driver(body)
    log = numbered(run.log)
    foreign = Driver(recorded, run_id="wrun_2")
    foreign.complete("not ours")
    orphan = next(e for e in numbered(foreign.log) if e.type == "step_completed")
    log = numbered([*log, orphan])
    run.live.close()
    seen.clear()
    with pytest.raises(DivergenceError) as caught:
        replay(log, body)
    assert caught.value.position == len(log)
    assert caught.value.recorded.startswith("step_completed")
    assert not any("Divergence" in text for text in seen)

"""What other runtimes do with abort signals: tasks that are cancelled, and steps that are told."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from workflow import create_hook, fetch, sleep, step_options
from workflow.api import get_run


@step_options(max_retries=0)
async def listens(marks: str, name: str) -> str:
    """Wait for ever, and write down that it was told to stop."""
    "use step"
    Path(marks, f"{name}.began").touch()
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        Path(marks, f"{name}.told").touch()
        raise
    return name


async def quick(name: str) -> str:
    "use step"
    return name


async def decides(word: str) -> bool:
    "use step"
    return word == "stop"


async def cancel_me(run_id: str, reason: str) -> None:
    "use step"
    await get_run(run_id).cancel(reason)


async def note(marks: str, name: str) -> None:
    "use step"
    Path(marks, name).touch()


async def timeout_cancels(marks: str, seconds: float) -> str:
    "use workflow"
    try:
        async with asyncio.timeout(seconds):
            await listens(marks, "slow")
    except TimeoutError:
        return await quick("after the timeout")
    return "never"


async def all_parallel(marks: str, seconds: float) -> list[str]:
    "use workflow"
    tasks = [asyncio.create_task(listens(marks, f"p{n}")) for n in range(3)]
    await sleep(seconds)
    for task in tasks:
        task.cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    return [type(error).__name__ for error in found]


async def step_aborts_sibling(marks: str) -> str:
    "use workflow"
    sibling = asyncio.create_task(listens(marks, "sibling"))
    if await decides("stop"):
        sibling.cancel("a step said so")
    try:
        await sibling
    except asyncio.CancelledError as error:
        return str(error)
    return "never"


async def already_aborted(marks: str) -> list[Any]:
    "use workflow"
    task = asyncio.create_task(listens(marks, "not begun"))
    task.cancel("before it began")
    done, _ = await asyncio.wait([task])
    return [len(done), task.cancelled(), await quick("after")]


async def after_completion() -> list[Any]:
    "use workflow"
    task = asyncio.create_task(quick("done"))
    result = await task
    return [result, task.cancel(), task.result()]


async def by_hook(marks: str, token: str) -> str:
    "use workflow"
    stop = create_hook(token=token)
    work = asyncio.ensure_future(listens(marks, "until the hook"))
    word = asyncio.ensure_future(anext(aiter(stop)))
    await asyncio.wait([work, word], return_when=asyncio.FIRST_COMPLETED)
    work.cancel()
    await asyncio.wait([work])
    return f"stopped by {word.result()}"


async def cancelled_from_outside(marks: str) -> str:
    "use workflow"
    try:
        return await listens(marks, "outside")
    finally:
        await note(marks, "cleaned up")


async def any_of_two(marks: str, token: str) -> str:
    """Stopped by a hook or by time, whichever comes first."""
    "use workflow"
    hook = create_hook(token=token)
    work = asyncio.ensure_future(listens(marks, "either"))
    signals = {
        asyncio.ensure_future(anext(aiter(hook))): "hook",
        asyncio.ensure_future(sleep("1 day")): "time",
    }
    done, pending = await asyncio.wait(signals, return_when=asyncio.FIRST_COMPLETED)
    for task in [work, *pending]:
        task.cancel()
    await asyncio.wait([work])
    return " and ".join(signals[task] for task in done)


async def sleep_as_timeout(marks: str, seconds: float) -> str:
    "use workflow"
    work = asyncio.ensure_future(listens(marks, "idiom"))
    done, _ = await asyncio.wait([work], timeout=seconds)
    if not done:
        work.cancel()
        return "took too long"
    return work.result()


async def branch_on_the_winner(token: str) -> list[str]:
    "use workflow"
    hook = create_hook(token=token)
    answer = asyncio.ensure_future(anext(aiter(hook)))
    done, _ = await asyncio.wait([answer], timeout=86_400)
    first = "hook" if answer in done else "time"
    return [first, await quick(f"went {first}'s way")]


async def fetch_is_torn_down(url: str, seconds: float) -> str:
    "use workflow"
    try:
        async with asyncio.timeout(seconds):
            await fetch(url)
    except TimeoutError:
        return "given up"
    return "answered"


async def hook_and_cancel(token: str) -> list[str]:
    "use workflow"
    found = []
    try:
        async for payload in create_hook(token=token):
            found.append(await quick(f"got {payload}"))
            if payload == "last":
                break
    except asyncio.CancelledError as error:
        found.append(f"cancelled: {error}")
    return found

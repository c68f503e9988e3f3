"""Workflows of the scenarios that other implementations are tested with, under their names.

The source is built as a project by `test_scenarios.py`; nothing here is imported directly.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from workflow import (
    FatalError,
    RetryableError,
    create_hook,
    create_webhook,
    get_step_metadata,
    get_workflow_metadata,
    sleep,
)

CALLS: list[str] = []  # of the steps' side only


async def add(a: int, b: int) -> int:
    "use step"
    return a + b


async def after(name: str, fail: bool = False) -> str:
    "use step"
    if fail:
        raise FatalError(f"{name} failed")
    return name


async def never(name: str) -> str:
    "use step"
    await asyncio.Event().wait()
    return name


async def count(key: str) -> str:
    "use step"
    CALLS.append(f"{get_workflow_metadata().workflow_run_id} {key}")
    return key


async def about() -> dict[str, Any]:
    "use step"
    step, run = get_step_metadata(), get_workflow_metadata()
    return {"attempt": step.attempt, "run": run.workflow_run_id, "name": run.workflow_name}


async def third_time() -> int:
    "use step"
    attempt = get_step_metadata().attempt
    if attempt < 3:
        raise ValueError(f"attempt {attempt}")
    return attempt


async def wait_ten_seconds() -> int:
    "use step"
    attempt = get_step_metadata().attempt
    if attempt == 1:
        raise RetryableError("later", retry_after="10s")
    return attempt


async def spawn(n: int) -> tuple[str, int]:
    "use step"
    from workflow.api import start

    run = await start(add_ten, n)
    return run.run_id, await run.result("30s")


async def add_ten(n: int) -> int:
    "use workflow"
    n = await add(n, 2)
    n = await add(n, 3)
    return await add(n, 5)


async def promise_all() -> list[str]:
    "use workflow"
    return list(await asyncio.gather(after("a"), after("b"), after("c")))


async def promise_race() -> str:
    "use workflow"
    tasks = [asyncio.create_task(t) for t in (never("slow"), after("quick"))]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    return done.pop().result()


async def promise_any() -> str:
    "use workflow"
    for first in asyncio.as_completed([after("a", fail=True), after("b")]):
        try:
            return await first
        except FatalError:
            continue
    return "none"


async def parallel_sleep() -> float:
    "use workflow"
    began = time.monotonic()
    await asyncio.gather(*(sleep("1s") for _ in range(10)))
    return time.monotonic() - began


async def sleep_in_loop() -> list[float]:
    "use workflow"
    began = time.monotonic()
    found = []
    for _ in range(3):
        await sleep("1s")
        found.append(time.monotonic() - began)
    return found


async def sleep_wins_race() -> str:
    "use workflow"
    try:
        async with asyncio.timeout(1):
            return await never("step")
    except TimeoutError:
        return "sleep"


async def step_wins_race() -> str:
    "use workflow"
    async with asyncio.timeout(3600):
        return await after("step")


async def sleep_with_sequential_steps() -> list[int]:
    "use workflow"
    pending = asyncio.create_task(asyncio.sleep(60))
    found = [await add(n, n) for n in range(3)]
    await pending
    return found


async def hook_with_sleep(token: str) -> list[Any]:
    "use workflow"
    pending = asyncio.create_task(asyncio.sleep(86_400))
    hook = create_hook(token=token, timeout="30 days")
    found = []
    async for payload in hook:
        found.append(payload)
        if payload == "last":
            found.append(await after("final step"))
            break
    pending.cancel()
    return found


async def null_byte() -> str:
    "use workflow"
    return await after("null \x00 byte")


async def metadata() -> list[Any]:
    "use workflow"
    run = get_workflow_metadata()
    return [{"run": run.workflow_run_id, "name": run.workflow_name}, await about()]


async def retries() -> list[int]:
    "use workflow"
    return [await third_time(), await wait_ten_seconds()]


async def fatal_is_caught() -> str:
    "use workflow"
    try:
        return await after("it", fail=True)
    except FatalError as error:
        return f"caught: {error}"


async def idempotency() -> int:
    "use workflow"
    tens = await asyncio.gather(*(count(f"ten {n}") for n in range(10)))
    hundreds = await asyncio.gather(*(count(f"hundred {n}") for n in range(100)))
    return len(tens) + len(hundreds)


async def stress() -> list[str]:
    "use workflow"
    found = []
    for n in range(20):
        tasks = [asyncio.create_task(after(f"{n}.{m}")) for m in range(5)]
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        found.append(str(len(done) >= 1))
    return found


async def spawns_from_a_step() -> tuple[str, int]:
    "use workflow"
    return await spawn(1)


async def parallel_steps_then_webhook() -> list[int]:
    "use workflow"
    found = []
    for n in range(10):
        await asyncio.gather(*(add(n, m) for m in range(3)))
        webhook = create_webhook(timeout="1 day")
        request = await webhook
        found.append((await request.json())["round"])
        webhook.dispose()
    return found

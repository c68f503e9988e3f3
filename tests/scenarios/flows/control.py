"""Steps in a row, at once, in races; metadata; functions with the same names as those elsewhere."""

from __future__ import annotations

import asyncio
from typing import Any

from workflow import create_hook, get_step_metadata, get_workflow_metadata, sleep

CALLS: list[str] = []  # of the steps' side only


async def add(a: int, b: int) -> int:
    "use step"
    return a + b


async def after(name: str) -> str:
    "use step"
    return name


async def refuse(name: str) -> str:
    "use step"
    from workflow import FatalError

    raise FatalError(f"{name} failed")


async def never(name: str) -> str:
    "use step"
    await asyncio.Event().wait()
    return name


async def count(key: str) -> int:
    """How often this was called with the key."""
    "use step"
    CALLS.append(f"{get_workflow_metadata().workflow_run_id} {key}")
    return CALLS.count(CALLS[-1])


async def about() -> dict[str, Any]:
    "use step"
    step, run = get_step_metadata(), get_workflow_metadata()
    return {"attempt": step.attempt, "run": run.workflow_run_id, "name": run.workflow_name}


def which_run() -> dict[str, Any]:
    """Metadata from a function that is neither a workflow nor a step."""
    run = get_workflow_metadata()
    return {"run": run.workflow_run_id, "name": run.workflow_name}


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
    for first in asyncio.as_completed([refuse("a"), after("b")]):
        try:
            return await first
        except Exception:
            continue
    return "none"


async def promise_race_stress() -> list[str]:
    "use workflow"
    found = []
    for n in range(20):
        tasks = [asyncio.create_task(after(f"{n}.{m}")) for m in range(5)]
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        found.append(str(len(done) >= 1))
    return found


async def retained_interleaving(token: str) -> list[Any]:
    "use workflow"
    first = await add(1, 1)
    both = await asyncio.gather(add(first, 1), sleep("10ms"), add(first, 2))
    hook = create_hook(token=token)
    payload = asyncio.ensure_future(anext(aiter(hook)))
    done, _ = await asyncio.wait([payload, asyncio.ensure_future(sleep("1 day"))],
                                 return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
    winner = "hook" if payload in done else "sleep"
    last = await after(f"{winner}:{payload.result()}")
    return [first, both, winner, last]


async def null_byte() -> str:
    "use workflow"
    return await after("null \x00 byte")


async def metadata() -> list[Any]:
    "use workflow"
    return [which_run(), await about()]


async def idempotency() -> list[int]:
    "use workflow"
    tens = await asyncio.gather(*(count(f"ten {n}") for n in range(10)))
    hundreds = await asyncio.gather(*(count(f"hundred {n}") for n in range(100)))
    return [*tens, *hundreds]

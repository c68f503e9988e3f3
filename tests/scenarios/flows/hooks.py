"""Hooks: payloads, tokens that are in use, and what a run may do about it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from workflow import HookConflictError, create_hook
from workflow.api import get_run, resume_hook
from workflow.errors import WorkflowRunCancelledError


async def note(text: Any) -> Any:
    "use step"
    return text


async def hook_workflow(token: str) -> list[Any]:
    "use workflow"
    found: list[Any] = []
    async with create_hook(token=token, metadata={"wants": 3}) as hook:
        async for payload in hook:
            found.append(payload)
            if len(found) == 3:
                break
    return found


async def one_payload(token: str) -> Any:
    "use workflow"
    return await create_hook(token=token)


async def concurrent(token: str) -> dict[str, Any]:
    "use workflow"
    try:
        return {"payload": await create_hook(token=token)}
    except HookConflictError as error:
        return {"conflict": error.run_id}


async def dispose_and_wait(first: str, second: str) -> list[Any]:
    "use workflow"
    async with create_hook(token=first) as hook:
        found = [await hook]
    found.append(await create_hook(token=second))
    return found


async def again_after_dispose(token: str) -> list[Any]:
    "use workflow"
    found = []
    for _ in range(3):
        async with create_hook(token=token) as hook:
            found.append(await hook)
    return found


async def conflict_only(token: str) -> str | None:
    "use workflow"
    return await create_hook(token=token).get_conflict()


async def conflict_beside_steps(token: str) -> list[Any]:
    "use workflow"
    before = await note("before")
    hook = create_hook(token=token)
    conflict, beside = await asyncio.gather(hook.get_conflict(), note("beside"))
    return [before, beside, await note("after"), conflict, await hook]


async def mutex(token: str, hold: str) -> str:
    """Claim `token`; a run that finds it taken says so, one that has it waits for `hold`."""
    "use workflow"
    claim = create_hook(token=token)
    if await claim.get_conflict() is not None:
        return "taken"
    return f"held until {await create_hook(token=hold)}"


async def result_of(run_id: str) -> Any:
    "use step"
    return await get_run(run_id).result("20s")


async def forward(token: str, payload: Any) -> None:
    "use step"
    await resume_hook(token, payload)


async def cancel(run_id: str) -> None:
    "use step"
    owner = get_run(run_id)
    await owner.cancel("somebody else took over")
    with contextlib.suppress(WorkflowRunCancelledError):
        await owner.result("20s")


async def adopt(token: str) -> dict[str, Any]:
    "use workflow"
    hook = create_hook(token=token)
    owner = await hook.get_conflict()
    if owner is not None:
        return {"owner": owner, "result": await result_of(owner)}
    return {"paid": await hook}


async def gather_payloads(token: str, payload: Any, wanted: int) -> Any:
    "use workflow"
    hook = create_hook(token=token)
    if await hook.get_conflict() is not None:
        await forward(token, payload)
        return "forwarded"
    found = [payload]
    while len(found) < wanted:
        found.append(await hook)
    return found


async def take_over(token: str) -> Any:
    "use workflow"
    hook = create_hook(token=token)
    owner = await hook.get_conflict()
    if owner is not None:
        await cancel(owner)
        hook = create_hook(token=token)
    return await hook



import asyncio
from dataclasses import dataclass
from datetime import timedelta

from workflow import Response, create_hook, create_webhook, define_hook, fetch, sleep


@dataclass(frozen=True)
class Decision:
    """What somebody decides."""

    approved: bool
    comment: str = ""


decision = define_hook(Decision)


async def note(text: str) -> None:
    return await _wfc_step("step//flows.py//note", {"text": text})


async def approve(name: str, days: int) -> bool:
    """Wait in every way."""
    "use workflow"
    await sleep("2 days")
    await asyncio.sleep(1.5)
    await sleep(timedelta(days=days))
    hook = decision.create(token=f"decision:{name}")
    try:
        answer = await asyncio.wait_for(hook, timeout=3600)
    except TimeoutError:
        return False
    async with create_hook(str, token="chat") as chat:
        async for message in chat:
            if message == "stop":
                break
            await note(message)
    webhook = create_webhook(respond_with="manual")
    request = await webhook
    await request.respond_with(Response.json({"ok": True}))
    reply = await fetch("https://example.com/api", method="POST")
    await note(f"{reply.status} {answer.comment}")
    return answer.approved
from workflow.abi.flow_v1 import step as _wfc_step

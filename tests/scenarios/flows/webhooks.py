"""Webhooks with each kind of answer, and ten rounds of them among parallel steps."""

from __future__ import annotations

import asyncio
from typing import Any

from workflow import Request, Response, create_webhook


async def add(a: int, b: int) -> int:
    "use step"
    return a + b


async def answer(request: Request) -> dict[str, Any]:
    "use step"
    body = await request.json()
    await request.respond_with(Response.json({"got": body}))
    return {"body": body}


async def webhook_workflow() -> list[dict[str, Any]]:
    "use workflow"
    plain = create_webhook(token="w-plain")
    static = create_webhook(token="w-static", respond_with=Response("pay first", status=402))
    manual = create_webhook(token="w-manual", respond_with="manual")
    first, second, third = await asyncio.gather(plain, static, manual)
    found = [
        {"method": request.method, "url": request.url, "body": await request.text()}
        for request in (first, second)
    ]
    return [*found, {"method": third.method, "url": third.url, **await answer(third)}]


async def parallel_steps_then_webhook() -> list[int]:
    "use workflow"
    found = []
    for n in range(10):
        await asyncio.gather(*(add(n, m) for m in range(3)))
        async with create_webhook() as webhook:
            request = await webhook
        found.append((await request.json())["round"])
    return found

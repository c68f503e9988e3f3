"""`fetch`: an HTTP request as a step."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from workflow import web
from workflow.policy.durations import seconds_of
from workflow.replay.loop import running

__all__ = ["FETCH_STEP", "fetch", "request_now"]

FETCH_STEP = "step//workflow//fetch"


async def fetch(
    url: str | web.Request,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    json: Any = None,
    content: bytes | str | None = None,
    timeout: str | float | timedelta = 30,
) -> web.Response:
    """Send an HTTP request and return the response, whatever its status.

    In a workflow body it is a durable step: retried when no response came, and its response
    recorded. In steps and elsewhere it is a plain request. `timeout` covers each phase.
    """
    call: dict[str, Any] = {
        "url": url,
        "method": method,
        "headers": dict(headers) if headers is not None else None,
        "params": dict(params) if params is not None else None,
        "json": json,
        "content": content,
        "timeout": seconds_of(timeout),
    }
    if isinstance(url, web.Request):
        call.update(url=url.url, method=url.method, content=await url.body())
        call["headers"] = dict(url.headers.items()) | dict(headers or {})
    loop = running()
    if loop is not None:
        response: web.Response = await loop.run.call_step(FETCH_STEP, call)
        return response
    return await request_now(**call)


async def request_now(
    *,
    url: str,
    method: str,
    headers: dict[str, str] | None,
    params: dict[str, str] | None,
    json: Any,
    content: bytes | str | None,
    timeout: float,
) -> web.Response:
    """The step behind `fetch`. Raises httpx's errors when no response came."""
    import httpx

    async with httpx.AsyncClient(timeout=timeout, follow_redirects=True) as client:
        answer = await client.request(
            method, url, headers=headers, params=params, json=json, content=content
        )
    return web.Response(
        answer.content, status=answer.status_code, headers=answer.headers.multi_items()
    )

"""Deliver an HTTP request to the run that waits for it, and find the answer."""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
from collections.abc import Mapping

import msgspec

from workflow import web
from workflow.codec import Codec
from workflow.errors import HookNotFoundError, WebhookError
from workflow.policy.names import is_storable
from workflow.world.port import World
from workflow.world.records import Letter

__all__ = ["answer_timeout", "deliver"]


async def deliver(world: World, codec: Codec, token: str, request: web.Request) -> web.Response:
    """Record the request as the hook's payload, then answer as the webhook was created to.

    The payload is durable before anything is answered. A method that the webhook does not take gets
    405, and nothing is recorded. Raises HookNotFoundError for a token that is
    unknown, finished, or a plain hook's (the caller must not be able to tell them apart);
    TimeoutError when a manual answer did not come in time (WORKFLOW_WEBHOOK_TIMEOUT, seconds,
    default 60); WebhookError when the run ended without answering.
    """
    looked_at = None
    while True:
        hook = await world.get_hook(token) if is_storable(token) else None
        if hook is None or not hook.webhook or hook == looked_at:
            raise HookNotFoundError(token)
        meta = msgspec.json.decode(hook.meta) if hook.meta else {}
        methods = meta.get("methods")
        if methods is not None and request.method not in methods:
            return _not_allowed(request.method, methods)
        manual = meta.get("respond") == "manual"
        stream = f"reply_{secrets.token_hex(16)}"
        payload = request
        if manual:
            payload = web.Request(
                request.method,
                request.url,
                request.headers,
                request.content,
                reply_to=f"{stream}@{hook.run_id}",  # where we wait, also when a child has it
            )
        # For the webhook that was looked at: its token may pass to another run meanwhile, which
        # would answer elsewhere, in another way, or not at all.
        data = codec.encode(payload, path="request")
        letter = Letter(kind="hook_received", ref=hook.hook_id, payload=data)
        # A caller that hangs up must not take back what is on its way into the run's mail.
        posted = await asyncio.shield(world.post_to_token(token, letter))
        if posted.outcome in ("posted", "duplicate"):
            break
        if posted.outcome == "ended":
            raise HookNotFoundError(token)
        looked_at = hook
    if manual:
        return await _answer(world, codec, posted.run_id, stream)
    if meta.get("respond") == "static":
        response: web.Response = codec.decode(base64.b64decode(meta["response"]))
        return response
    return web.Response(b"", status=202)


def _not_allowed(method: str, methods: list[str]) -> web.Response:
    allowed = ", ".join(methods)
    problem = {
        "code": "method-not-allowed",
        "message": f"this webhook takes {allowed}, not {method}",
    }
    return web.Response.json({"error": problem}, 405, {"allow": allowed})


def answer_timeout(environ: Mapping[str, str]) -> float:
    """WORKFLOW_WEBHOOK_TIMEOUT: seconds a caller waits for the run's answer, 60 by default. Raises
    ValueError for anything but a number of seconds from 0 to a day."""
    text = environ.get("WORKFLOW_WEBHOOK_TIMEOUT") or "60"
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86_400:
        raise ValueError(f"WORKFLOW_WEBHOOK_TIMEOUT is {text!r}; give seconds, from 0 to 86400")
    return seconds


async def _answer(world: World, codec: Codec, run_id: str, stream: str) -> web.Response:
    limit = answer_timeout(os.environ)
    deadline = world.now() + round(limit * 1_000_000)
    change = 0
    while True:
        change = await world.wait_for_change(change, deadline)
        page = await world.read_chunks(run_id, stream, 0, 1)
        if page.chunks:
            response: web.Response = codec.decode(page.chunks[0].data)
            return response
        if page.closed:
            raise WebhookError("the run ended without answering this request")
        if world.now() >= deadline:
            raise TimeoutError(f"no answer within {limit:g} s")

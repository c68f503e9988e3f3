"""Steps that come with the runtime, registered in every project."""

from __future__ import annotations

from typing import Any

from workflow import web
from workflow.authoring.children import CANCEL_STEP
from workflow.authoring.context import current_step
from workflow.authoring.fetch import FETCH_STEP
from workflow.authoring.hooks import RESPOND_STEP, send_reply
from workflow.engine.registry import Registry
from workflow.errors import FatalError, RunEndedError, WorkflowRunNotFoundError

__all__ = ["register"]


async def respond_with(reply_to: str | None, response: web.Response) -> None:
    """Answer the HTTP caller that waits on a manual webhook."""
    if reply_to is None:
        raise FatalError('this request does not wait: create_webhook(respond_with="manual")')
    await send_reply(reply_to, response)


async def fetch(
    url: str,
    method: str,
    headers: Any,
    params: Any,
    json: Any,
    content: bytes | str | None,
    timeout: float,
    redirect: str = "follow",
    max_bytes: int | None = None,
    private: bool | None = None,
) -> web.Response:
    """Send one HTTP request."""
    from workflow.authoring.requests import send

    return await send(
        url=url,
        method=method,
        headers=headers,
        params=params,
        json=json,
        content=content,
        timeout=timeout,
        redirect=redirect,
        max_bytes=max_bytes,
        private=private,
    )


async def cancel_run(run_id: str, reason: str) -> bool:
    """Ask a child of the run to stop. False when it has ended already."""
    context = current_step()
    assert context is not None  # only a body's call comes here
    try:
        await context.cancel_run(run_id, reason)
    except (RunEndedError, WorkflowRunNotFoundError):
        return False  # not an error of this step: there is nothing to try again
    return True


def register(registry: Registry) -> None:
    """Add the built-in steps. Doing it twice changes nothing."""
    registry.step(RESPOND_STEP, respond_with)
    registry.step(FETCH_STEP, fetch)
    registry.step(CANCEL_STEP, cancel_run)

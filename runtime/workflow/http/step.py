"""`POST /.well-known/workflow/v1/step`: make one attempt at a step, if its task is due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from workflow.http.delivery import serve_delivery
from workflow.http.routes import STEP_PATH

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from workflow.http.application import DurableApplication
    from workflow.http.settings import Settings

__all__ = ["StepMessage", "serve_step"]


class StepMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of the call."""

    run_id: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    step_id: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


async def serve_step(
    app: DurableApplication, settings: Settings, scope: Scope, receive: Receive, send: Send
) -> None:
    """The ASGI handler. Answers `{"ran": bool}`; see `serve_delivery` for the refusals."""
    await serve_delivery(
        scope,
        receive,
        send,
        app=app,
        settings=settings,
        path=STEP_PATH,
        message=StepMessage,
        run=lambda message: app.task_once(message.run_id, message.step_id),
    )

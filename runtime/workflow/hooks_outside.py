"""What applications do with hooks: find them, and resume them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, TypeVar, overload

from workflow.engine import webhooks
from workflow.engine.actions import action_of
from workflow.errors import HookNotFoundError, PendingActionError
from workflow.here import codec_here, open_world
from workflow.hook_record import HookRecord, shown
from workflow.listing import HookPage, check_page, hooks_of
from workflow.policy.names import is_storable
from workflow.runs import Run
from workflow.web import Request
from workflow.world import records
from workflow.world.records import Letter

if TYPE_CHECKING:
    from workflow import web
    from workflow.authoring.hooks import HookDefinition
    from workflow.http.given import GivenRequest

__all__ = ["get_hook_by_token", "get_hooks", "list_hooks", "resume_hook", "resume_webhook"]

T = TypeVar("T")


@overload
async def resume_hook(token: str | HookRecord, payload: Any = None) -> HookRecord: ...
@overload
async def resume_hook(
    token: str | HookRecord, payload: T, *, of: HookDefinition[T]
) -> HookRecord: ...
async def resume_hook(
    token: str | HookRecord, payload: Any = None, *, of: HookDefinition[Any] | None = None
) -> HookRecord:
    """Give a hook its next payload; durable on return, whatever happens to the run's worker.

    The hook is named by its token, or by what `get_hook_by_token` has given. With `of`, what
    `define_hook` has given, the payload is checked first, as by `of.resume(…)`. Raises
    HookNotFoundError when no open hook has the token, SerializationError (with the path to the
    value) when the payload cannot be recorded, pydantic's ValidationError when it does not fit,
    TypeError for the token of a webhook and anything but a `workflow.Request`. A payload holds
    data, not steps or workflows.
    """
    token = _token_text("resume_hook()", token)
    if of is not None:
        if not callable(getattr(of, "fitting", None)):
            raise TypeError(f"of= is what define_hook() has given, not {of!r:.80}")
        payload = of.fitting(payload)
    world = await open_world()
    codec = codec_here()
    data = b""
    looked_at = None
    while True:
        hook = await _open_hook(token)
        _check_kind(hook, payload)
        data = data or codec.encode(payload, path="payload", references=False)
        # For the hook that was looked at: a token may pass to another one meanwhile.
        letter = Letter(kind="hook_received", ref=hook.hook_id, payload=data)
        posted = await world.post_to_token(token, letter)
        if posted.outcome in ("posted", "duplicate"):
            return shown(hook, codec)
        if posted.outcome == "ended" or hook == looked_at:
            raise HookNotFoundError(token)
        looked_at = hook


async def resume_webhook(token: str | HookRecord, request: GivenRequest) -> web.Response:
    """Deliver a request to a webhook from one's own route, and get the response to send.

    `request` is a `workflow.Request` or a request of Starlette, FastAPI, Litestar, Quart, Flask or
    Django. Raises HookNotFoundError, TypeError for anything else, TimeoutError and WebhookError, as
    a manual answer may not come.
    """
    from workflow.http.given import begun, finished

    token = _token_text("resume_webhook()", token)
    taken = await finished(begun(request))
    world = await open_world()
    return await webhooks.deliver(world, codec_here(), token, taken)


async def get_hook_by_token(token: str) -> HookRecord:
    """Look an open hook up. Raises HookNotFoundError."""
    return shown(await _open_hook(_token_text("get_hook_by_token()", token)), codec_here())


async def list_hooks(
    *,
    run: str | Run[Any] | None = None,
    token_prefix: str = "",
    webhook: bool | None = None,
) -> AsyncIterator[HookRecord]:
    """Open hooks and webhooks, those that were opened first come first.

    `run` is a run or its id, `token_prefix` what the tokens begin with; `webhook` selects webhooks
    or plain hooks. Pending actions are not among them: `run.pending_actions` has those. Raises
    TypeError for what these cannot be.
    """
    cursor: str | None = None
    while True:
        page = await get_hooks(
            run=run, token_prefix=token_prefix, webhook=webhook, limit=500, cursor=cursor
        )
        for hook in page.hooks:
            yield hook
        cursor = page.cursor
        if cursor is None:
            return


async def get_hooks(
    *,
    run: str | Run[Any] | None = None,
    token_prefix: str = "",
    webhook: bool | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> HookPage:
    """A page of what `list_hooks` gives: up to `limit` hooks, from 1 to 1000, after `cursor`.

    Hooks that are opened and disposed meanwhile move nothing on the pages that follow; the last
    page may be empty. Raises what `list_hooks` raises, and ValueError for a `limit` or a `cursor`
    that is none.
    """
    where = hooks_of(run, token_prefix, webhook)
    check_page(limit, cursor, "hook")
    world = await open_world()
    codec = codec_here()
    found: list[HookRecord] = []
    while True:
        page = await world.find_hooks(where, limit=limit - len(found), cursor=cursor)
        found += [shown(hook, codec) for hook in page.items if action_of(hook) is None]
        cursor = page.cursor
        if cursor is None or len(found) == limit:
            return HookPage(tuple(found), cursor)


def _token_text(where: str, token: object) -> str:
    if isinstance(token, HookRecord):
        return token.token
    if not isinstance(token, str):
        raise TypeError(
            f"{where} takes the token of a hook, which is text, not {type(token).__name__}"
        )
    return token


def _check_kind(hook: records.HookRecord, payload: object) -> None:
    """Raises PendingActionError and TypeError for what is not resumed with a payload like this."""
    action = action_of(hook)
    if action is not None:
        raise PendingActionError(
            f"this is the token of a pending action; answer it with run.resume({action.step!r}, …)",
            step=action.step,
        )
    if hook.webhook and not isinstance(payload, Request):
        raise TypeError(
            "this is the token of a webhook, whose payloads are requests: resume_webhook(token, "
            f"request) delivers one, and gives its answer. A {type(payload).__name__} is none"
        )


async def _open_hook(token: str) -> records.HookRecord:
    world = await open_world()
    hook = await world.get_hook(token) if is_storable(token) else None
    if hook is None:
        raise HookNotFoundError(token)
    return hook

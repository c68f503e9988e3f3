"""Hooks and webhooks: places where a run waits for data from outside."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Generator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast, overload
from urllib.parse import quote

from workflow import web
from workflow.authoring.context import body, current_step
from workflow.authoring.payloads import adapter_of, validated
from workflow.errors import ContextError, RunEndedError, WebhookAnsweredError
from workflow.policy.durations import seconds_of
from workflow.policy.names import is_storable
from workflow.replay.hooks import HookState
from workflow.replay.live import LiveRun
from workflow.replay.loop import running

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from workflow.hook_record import HookRecord

__all__ = [
    "RESPOND_STEP",
    "WEBHOOK_PATH",
    "Hook",
    "HookDefinition",
    "Webhook",
    "create_hook",
    "create_webhook",
    "define_hook",
]

T = TypeVar("T")

WEBHOOK_PATH = "/.well-known/workflow/v1/webhook/"
RESPOND_STEP = "step//workflow//respond_with"


class Hook(Generic[T]):
    """A place where the run waits for payloads, found from outside by its `token`.

    Each `await hook` gives the next payload; `async for` gives all of them until the hook is
    disposed. `async with` disposes it at the end. Awaiting raises HookConflictError when another
    open run holds the token, TimeoutError after `timeout`.
    """

    def __init__(
        self, run: LiveRun, state: HookState, adapter: Any, timeout: float | None, name: str | None
    ) -> None:
        self._run = run
        self._state = state
        self._adapter = adapter  # pydantic's TypeAdapter, None for payloads of any kind
        self._timeout = timeout
        self._name = name  # the token if the author chose it: a generated one is a secret

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"  # the token lets whoever reads it resume the run

    @property
    def token(self) -> str:
        """What callers of `resume_hook` need to know."""
        return self._state.token

    def __await__(self) -> Generator[Any, Any, T]:
        return self._next().__await__()

    async def _next(self) -> T:
        if self._timeout is None:
            payload = await self._state.next_payload()
        else:
            payload = await self._within(self._timeout)
        return cast(T, payload if self._adapter is None else self._adapter.validate_python(payload))

    async def _within(self, seconds: float) -> Any:
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await self._state.next_payload()
        except TimeoutError:
            if not limit.expired():
                raise
        kind = type(self).__name__.lower()
        name = f"{kind} {self._name}" if self._name is not None else f"a {kind}"
        raise TimeoutError(f"{name} was not resumed within {seconds:g} s")

    async def __aiter__(self) -> AsyncIterator[T]:
        while True:
            try:
                payload = await self._next()
            except ContextError:
                return  # disposed, and nothing that came before is left
            yield payload

    async def get_conflict(self) -> str | None:
        """Wait until the token is open or refused; the id of the run that holds it, or None."""
        await self._state.settling()
        return self._state.owner

    def dispose(self) -> None:
        """Free the token now; otherwise the end of the run does."""
        self._run.dispose_hook(self._state)

    async def __aenter__(self) -> Hook[T]:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.dispose()


class Webhook(Hook[web.Request]):
    """A hook with a public address, `url`. Each payload is a `Request`."""

    @property
    def url(self) -> str:
        """Where to send HTTP requests, with any method."""
        return self._run.base_url.rstrip("/") + WEBHOOK_PATH + quote(self.token, safe="")


@overload
def create_hook(
    type: None = None,
    *,
    token: str | None = None,
    metadata: Any = None,
    timeout: str | float | timedelta | None = None,
) -> Hook[Any]: ...
@overload
def create_hook(
    type: type[T] | TypeAdapter[T],
    *,
    token: str | None = None,
    metadata: Any = None,
    timeout: str | float | timedelta | None = None,
) -> Hook[T]: ...
def create_hook(
    type: Any = None,
    *,
    token: str | None = None,
    metadata: Any = None,
    timeout: str | float | timedelta | None = None,
) -> Hook[Any]:
    """Open a hook. Callable in a workflow body only.

    `type` validates each payload: a class, or anything else that pydantic can check, also a
    `TypeAdapter`. `token` is the author's own name, or a generated one of 128 random bits.
    `metadata` is any recordable value, shown to whoever looks the hook up. `timeout` limits each
    wait. Raises SerializationError when the metadata cannot be recorded, TypeError for what is no
    type.
    """
    run = body("create_hook()", "Open it in the workflow and pass hook.token to the step.")
    adapter = None if type is None else adapter_of(type, "create_hook()")
    seconds = _seconds(timeout, "create_hook()")
    state = run.request_hook(
        _token(run, token),
        webhook=False,
        metadata=None if metadata is None else run.codec.encode(metadata, path="metadata"),
        meta={},
    )
    return Hook(run, state, adapter, seconds, token)


def create_webhook(
    *,
    token: str | None = None,
    respond_with: web.Response | Literal["manual"] | None = None,
    method: str | Sequence[str] | None = None,
    metadata: Any = None,
    timeout: str | float | timedelta | None = None,
) -> Webhook:
    """Open a webhook: a hook that answers HTTP requests at `url`.

    By default callers get 202 as soon as their request is recorded; a `Response` is sent to each of
    them; `"manual"` keeps a caller waiting until `await request.respond_with(response)`. With a
    `method`, or several, requests of others get 405 and do not reach the run. `token`, `metadata`
    and `timeout` are as in `create_hook`. Raises TypeError and ValueError for what they are not.
    """
    run = body("create_webhook()", "Open it in the workflow and pass webhook.url to the step.")
    meta: dict[str, Any] = {"respond": "default"}
    if respond_with == "manual":
        meta["respond"] = "manual"
    elif isinstance(respond_with, web.Response):
        answer = run.codec.encode(respond_with, path="respond_with")
        meta = {"respond": "static", "response": base64.b64encode(answer).decode()}
    elif respond_with is not None:
        given = repr(respond_with) if isinstance(respond_with, str) else type(respond_with).__name__
        raise TypeError(
            f'respond_with= is a Response, "manual", or None for a plain 202, not {given:.80}. '
            "See `wfc explain webhook-invalid-respond-with-value`"
        )
    if method is not None:
        meta["methods"] = web.methods_of(method)
    seconds = _seconds(timeout, "create_webhook()")
    state = run.request_hook(
        _token(run, token),
        webhook=True,
        metadata=None if metadata is None else run.codec.encode(metadata, path="metadata"),
        meta=meta,
    )
    return Webhook(run, state, None, seconds, token)


class HookDefinition(Generic[T]):
    """A hook's payload type, shared by the workflow that waits and the code that resumes it."""

    def __init__(self, type: type[T] | TypeAdapter[T]) -> None:
        # Not for workflow code: the adapter may be pydantic's own.
        self._type: Any = type

    def create(
        self,
        *,
        token: str | None = None,
        metadata: Any = None,
        timeout: str | float | timedelta | None = None,
    ) -> Hook[T]:
        """As `create_hook(type, …)`."""
        hook: Hook[T] = create_hook(self._type, token=token, metadata=metadata, timeout=timeout)
        return hook

    async def resume(self, token: str | HookRecord, payload: T) -> HookRecord:
        """Validate the payload and resume the hook, named by its token or its record; its record.

        Raises pydantic's ValidationError, and the hook is not resumed, when the payload does not
        fit; HookNotFoundError as `resume_hook`.
        """
        from workflow.api import resume_hook

        if running() is not None:
            raise ContextError("resume() is an effect: call it in a step or outside of a run")
        return await resume_hook(token, payload, of=self)

    def fitting(self, payload: Any) -> T:
        """The payload as the type, as the body gets it. Raises pydantic's ValidationError."""
        fits: T = validated(self._type, payload, "define_hook()")
        return fits


def define_hook(type: type[T] | TypeAdapter[T]) -> HookDefinition[T]:
    """Describe a hook once: `.create(token=…)` in the workflow, `.resume(…)` outside.

    `type` is a dataclass, a pydantic model, a TypedDict, or anything else that pydantic can check;
    a `TypeAdapter` of an `Annotated` type brings functions of your own that check and change.
    Raises TypeError for what is no type, here or at the latest where it is used.
    """
    if not _may_be_type(type):
        raise TypeError(
            f"define_hook() takes the type of the payload, not {type!r}. For payloads of any kind, "
            "create_hook() without a type will do"
        )
    return HookDefinition(type)


def _may_be_type(given: object) -> bool:
    return given is not None and not isinstance(given, str)


def _seconds(timeout: str | float | timedelta | None, where: str) -> float | None:
    return None if timeout is None else seconds_of(timeout, f"timeout= of {where}")


def _token(run: LiveRun, token: Any) -> str:
    if token is None:
        return run.token()
    if not isinstance(token, str) or not 0 < len(token) <= 512:
        raise ValueError(f"a hook's token is text of 1 to 512 characters, not {token!r:.80}")
    if not is_storable(token):
        raise ValueError(f"a hook's token is text without U+0000 and surrogates, not {token!r}")
    return str(token)


async def _respond(request: web.Request, response: web.Response) -> None:
    """Answer a waiting webhook caller: directly from a step, as a step of its own from a body."""
    loop = running()
    if loop is not None:
        await loop.run.call_step(RESPOND_STEP, {"reply_to": request.reply_to, "response": response})
        return
    context = current_step()
    if context is None or request.reply_to is None:
        raise ContextError("respond_with() works in a workflow body or in one of its steps")
    await send_reply(request.reply_to, response)


async def send_reply(reply_to: str, response: web.Response) -> None:
    """Write the one answer to a webhook request, from a step. Raises WebhookError for a second.

    An earlier attempt of this step may have sent it and died before that was recorded.
    """
    context = current_step()
    if context is None:
        raise ContextError("respond_with() works in a workflow body or in one of its steps")
    answer = context.codec.encode(response, path="response")
    stream, _, home = reply_to.partition("@")
    other = home if home not in ("", context.run_id) else None
    try:
        await context.write(stream, (answer,), True, other)
    except RunEndedError:
        over = ", or the run that it came to has ended" if other else ""
        raise WebhookAnsweredError(
            f"this webhook request has been answered already{over}"
        ) from None


web.responder = _respond

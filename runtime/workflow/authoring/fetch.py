"""`fetch`: an HTTP request as a step."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from workflow import web
from workflow.policy.durations import seconds_of
from workflow.replay.loop import running

__all__ = ["FETCH_STEP", "Redirect", "fetch"]

FETCH_STEP = "step//workflow//fetch"

Redirect: TypeAlias = Literal["follow", "manual", "error"]


async def fetch(
    url: str | web.Request,
    *,
    method: str | None = None,
    headers: web.Headers | web.Pairs | None = None,
    params: web.URLSearchParams | web.Pairs | None = None,
    json: Any = None,
    content: bytes | str | None = None,
    timeout: str | float | timedelta = 30,
    redirect: Redirect = "follow",
    max_bytes: int | None = None,
    private: bool | None = None,
) -> web.Response:
    """Send an HTTP request and return the response, whatever its status.

    In a workflow body it is a durable step: retried when no response came, and its response
    recorded. In steps and elsewhere it is a plain request.

    `url` may be a `Request`; what is given beside it counts more. `method` is GET by default.
    `headers` and `params` may hold a name several times; `params` are added to the query of the
    URL. `json` is sent as JSON, `content` as it is. `timeout` is for the whole exchange. `redirect`
    is `"follow"` (up to 20), `"manual"` (return the redirect) or `"error"`. `max_bytes` is how
    large the body of the response may be, decoded (default WORKFLOW_FETCH_MAX_BYTES, 10 MiB).
    `private` says whether addresses that are not public may be reached (default
    WORKFLOW_FETCH_PRIVATE, "allow").

    Raises FetchError when no response came, FetchRefusedError for what another attempt cannot
    change, ValueError and TypeError for arguments that make no sense.
    """
    call: dict[str, Any] = {
        "url": url,
        "method": method or "GET",
        "headers": _pairs(headers),
        "params": _pairs(params),
        "json": json,
        "content": content,
        "timeout": seconds_of(timeout),
    }
    if isinstance(url, web.Request):
        call.update(url=url.url, method=method or url.method)
        if json is None and content is None:
            call["content"] = url.content or None
        given = headers if isinstance(headers, web.Headers) else web.Headers(headers)
        kept = [(name, value) for name, value in url.headers.items() if name not in given]
        call["headers"] = _pairs([*kept, *given.items()])
    if json is not None and content is not None:
        raise TypeError("fetch() takes json or content, not both")
    _check_url(call["url"])
    # Only what was asked for is recorded: a log without these names is one with their defaults.
    if redirect != "follow":
        if redirect not in ("manual", "error"):
            raise ValueError(f'redirect is "follow", "manual" or "error", not {redirect!r}')
        call["redirect"] = redirect
    if max_bytes is not None:
        if type(max_bytes) is not int or max_bytes < 1:
            raise ValueError(f"max_bytes is a whole number from 1, not {max_bytes!r}")
        call["max_bytes"] = max_bytes
    if private is not None:
        if type(private) is not bool:  # "no" would count as yes
            raise TypeError(f"private is True or False, not {private!r}")
        call["private"] = private
    loop = running()
    if loop is not None:
        response: web.Response = await loop.run.call_step(FETCH_STEP, call)
        return response
    from workflow.authoring.requests import send

    return await send(**call)


def _pairs(given: Any) -> Any:
    """A dict where every name occurs once, else a list of pairs; None for nothing."""
    if given is None:
        return None
    pairs = [(str(n), str(v)) for n, v in (given.items() if hasattr(given, "items") else given)]
    once = dict(pairs)
    return once if len(once) == len(pairs) else [list(pair) for pair in pairs]


def _check_url(url: Any) -> None:
    if not isinstance(url, str):
        raise TypeError(f"fetch() takes a URL or a Request, not {type(url).__name__}")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            f"fetch() takes a whole http(s) URL such as 'https://example.com/', not {url[:200]!r}"
            if "@" not in url
            else "fetch() takes a whole http(s) URL such as 'https://example.com/'"
        )
    try:
        _ = parts.port
    except ValueError as error:
        raise ValueError(f"the URL for {parts.hostname} has a bad port: {error}") from None
    if parts.username is not None or parts.password is not None:
        raise ValueError(
            f"the URL for {parts.hostname} holds a user name or password, and arguments are "
            "recorded in the run's log. Call fetch() in a step of your own, which reads the secret "
            'where it runs and sends it in the header "authorization"'
        )

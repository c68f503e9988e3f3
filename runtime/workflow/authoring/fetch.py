"""`fetch`: an HTTP request as a step."""

from __future__ import annotations

import re
from datetime import timedelta
from json import dumps
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from workflow import web
from workflow.policy.durations import seconds_of
from workflow.replay.loop import running

__all__ = ["FETCH_STEP", "Redirect", "fetch"]

FETCH_STEP = "step//workflow//fetch"

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110, 5.6.2
_NO_HOST = re.compile(r"[\s\x00-\x1f\x7f\\<>^`{|}\"]")

Redirect: TypeAlias = Literal["follow", "manual", "error"]


async def fetch(
    url: str | web.Request,
    *,
    method: str | None = None,
    headers: web.Headers | web.Pairs | None = None,
    params: web.URLSearchParams | web.QueryPairs | None = None,
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
    if method is not None and not isinstance(method, str):
        raise TypeError(f"method= of fetch() is text, not {type(method).__name__}")
    if method and not _TOKEN.fullmatch(method):
        raise ValueError(f"method= of fetch() is a method of HTTP such as 'POST', not {method!r}")
    call: dict[str, Any] = {
        "url": url,
        "method": method or "GET",
        "headers": _pairs("headers", headers),
        "params": _pairs("params", params),
        "json": json,
        "content": _content(content),
        "timeout": _timeout(timeout),
    }
    if isinstance(url, web.Request):
        call.update(url=url.url, method=method or url.method)
        if json is None and content is None:
            call["content"] = url.content or None
        given = headers if isinstance(headers, web.Headers) else web.Headers(headers)
        kept = [(name, value) for name, value in url.headers.items() if name not in given]
        call["headers"] = _pairs("headers", [*kept, *given.items()])
    if json is not None and content is not None:
        raise TypeError("fetch() takes json or content, not both")
    if json is not None:
        _check_json(json)
    _check_url(call["url"])
    # Only what was asked for is recorded: a log without these names is one with their defaults.
    if redirect != "follow":
        if redirect not in ("manual", "error"):
            raise ValueError(
                f'redirect= of fetch() is "follow", "manual" or "error", not {redirect!r}'
            )
        call["redirect"] = redirect
    if max_bytes is not None:
        if type(max_bytes) is not int or max_bytes < 1:
            raise ValueError(f"max_bytes= of fetch() is a whole number from 1, not {max_bytes!r}")
        call["max_bytes"] = max_bytes
    if private is not None:
        if type(private) is not bool:  # "no" would count as yes
            raise TypeError(f"private= of fetch() is True or False, not {private!r}")
        call["private"] = private
    loop = running()
    if loop is not None:
        response: web.Response = await loop.run.call_step(FETCH_STEP, call)
        return response
    from workflow.authoring.requests import send

    return await send(**call)


def _timeout(timeout: Any) -> float:
    seconds = seconds_of(timeout, "timeout= of fetch()")
    if seconds == 0:
        raise ValueError("timeout= of fetch() must be longer than 0: no response is that fast")
    return seconds


def _content(content: Any) -> bytes | str | None:
    if content is None or isinstance(content, bytes | str):
        return content
    if isinstance(content, bytearray | memoryview):
        return bytes(content)
    raise TypeError(
        f"content= of fetch() is bytes or text, not {type(content).__name__}; json= sends a value "
        "as JSON"
    )


def _check_json(value: Any) -> None:
    """Raises TypeError here for what a step would fail with, attempt after attempt."""
    try:
        dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(
            f"json= of fetch() cannot be sent as JSON: {error}. Write it with dict, list, text, "
            "numbers, True, False and None; a dataclass with dataclasses.asdict(value), a pydantic "
            'model with value.model_dump(mode="json")'
        ) from None


def _pairs(name: str, given: Any) -> Any:
    """A dict where every name occurs once, else a list of pairs; None for nothing."""
    if given is None:
        return None
    try:
        if isinstance(given, str | bytes):
            raise TypeError
        pairs = list(given.items() if hasattr(given, "items") else given)
        if name == "params":
            pairs = web.URLSearchParams(pairs).items()
        pairs = [(n, v) for n, v in pairs]
    except (TypeError, ValueError):
        written = "Headers" if name == "headers" else "URLSearchParams"
        raise TypeError(
            f"{name}= of fetch() is a dict, a list of pairs or {written}, not {given!r:.80}"
        ) from None
    if name == "headers":
        web.Headers(pairs)  # what is no text, or nothing for HTTP, raises here, not in the step
    pairs = [(str(n), str(v)) for n, v in pairs]
    once = dict(pairs)
    return once if len(once) == len(pairs) else [list(pair) for pair in pairs]


def _check_url(url: Any) -> None:
    if not isinstance(url, str):
        raise TypeError(f"fetch() takes a URL or a Request, not {type(url).__name__}")
    parts = urlsplit(url)
    bad_host = not parts.hostname or _NO_HOST.search(parts.netloc)
    if parts.scheme not in ("http", "https") or bad_host:
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

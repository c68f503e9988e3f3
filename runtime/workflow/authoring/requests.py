"""Send one HTTP request, within limits: of time, of size, of where it may go."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from workflow import web
from workflow.authoring.destinations import Checked
from workflow.errors import FetchError, FetchRefusedError

__all__ = ["max_bytes_of", "private_of", "send"]

MAX_BYTES = 10 * 1024 * 1024
MAX_REDIRECTS = 20


async def send(
    *,
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
    """The arguments are those of `fetch`, checked. Raises FetchError and FetchRefusedError."""
    limit = max_bytes_of(os.environ) if max_bytes is None else max_bytes
    anywhere = private_of(os.environ) if private is None else private
    place = _shown(url)
    try:
        async with (
            asyncio.timeout(timeout),
            httpx.AsyncClient(
                timeout=None, transport=None if anywhere else Checked(place)
            ) as client,
        ):
            request = client.build_request(
                method, _with(url, params), headers=headers, json=json, content=content
            )
            declared = request.headers.get("content-length")
            if declared is not None and declared != str(len(request.content)):
                raise FetchRefusedError(
                    f"the request to {place} cannot be sent: its header says content-length "
                    f"{declared}, and its body has {len(request.content)} bytes. Leave it out"
                )
            return await _exchange(client, request, redirect, limit, place)
    except TimeoutError as error:
        raise FetchError(f"no response from {place} within {timeout:g} s") from error
    except (
        httpx.InvalidURL,
        httpx.UnsupportedProtocol,
        httpx.LocalProtocolError,
        UnicodeEncodeError,  # of a header that is not ASCII
    ) as error:
        raise FetchRefusedError(f"the request to {place} cannot be sent: {error}") from error
    except httpx.HTTPError as error:
        if _certificate(error):
            raise FetchRefusedError(
                f"the certificate of {place} is not trusted: {error}"
            ) from error
        what = str(error) or type(error).__name__
        raise FetchError(f"no response from {place}: {what}") from error


async def _exchange(
    client: httpx.AsyncClient, request: httpx.Request, redirect: str, limit: int, place: str
) -> web.Response:
    for _ in range(MAX_REDIRECTS + 1):
        answer = await client.send(request, stream=True)
        try:
            following = answer.next_request
            if following is None or redirect == "manual":
                return await _whole(answer, limit, place)
        finally:
            await answer.aclose()  # the body of a redirect is not read
        if redirect == "error":
            raise FetchRefusedError(
                f"{place} redirects to {_shown(str(following.url))}, and redirects were not wanted"
            )
        if following.url.userinfo:
            raise FetchRefusedError(f"{place} redirects to a URL that holds a user name")
        request = following
    raise FetchRefusedError(f"{place} redirected more than {MAX_REDIRECTS} times")


async def _whole(answer: httpx.Response, limit: int, place: str) -> web.Response:
    too_large = FetchRefusedError(
        f"the response of {place} is larger than the {limit} bytes that are recorded at most. "
        "Fetch it in a step of your own that stores it, or raise max_bytes"
    )
    declared = answer.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > limit and answer.request.method != "HEAD":
        raise too_large
    body = bytearray()
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) > limit:
            raise too_large
    headers = [(n.decode("latin-1").lower(), v.decode("latin-1")) for n, v in answer.headers.raw]
    if "content-encoding" in answer.headers and body:
        # They describe what was sent; the body here is decoded.
        gone = ("content-encoding", "content-length")
        headers = [(name, value) for name, value in headers if name not in gone]
    try:
        return web.Response(bytes(body), status=answer.status_code, headers=headers)
    except ValueError as error:
        raise FetchRefusedError(f"the response of {place} is not HTTP: {error}") from error


def max_bytes_of(environ: Mapping[str, str]) -> int:
    """WORKFLOW_FETCH_MAX_BYTES. Raises ValueError."""
    text = environ.get("WORKFLOW_FETCH_MAX_BYTES") or str(MAX_BYTES)
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"WORKFLOW_FETCH_MAX_BYTES is a number of bytes, not {text!r}")
    return int(text)


def private_of(environ: Mapping[str, str]) -> bool:
    """WORKFLOW_FETCH_PRIVATE: whether addresses that are not public are reached. Raises
    ValueError for anything but "allow" and "refuse"."""
    text = environ.get("WORKFLOW_FETCH_PRIVATE") or "allow"
    if text not in ("allow", "refuse"):
        raise ValueError(f'WORKFLOW_FETCH_PRIVATE is "allow" or "refuse", not {text!r}')
    return text == "allow"


def _with(url: str, params: Any) -> str:
    """The URL with further parameters in its query."""
    added = str(web.URLSearchParams(params))
    if not added:
        return url
    base, mark, fragment = url.partition("#")
    joint = "" if base.endswith(("?", "&")) else "&" if "?" in base else "?"
    return base + joint + added + mark + fragment


def _shown(url: str) -> str:
    """A URL without what may be secret: user, query and fragment."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"[:200]


def _certificate(error: BaseException | None) -> bool:
    """Whether a certificate was refused: the next attempt would see the same one."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False

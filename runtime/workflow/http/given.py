"""Requests of web frameworks, taken over as values.

No framework is imported. What a request offers says what it is: Starlette, FastAPI and Litestar
have a coroutine `body()`, Flask and Quart werkzeug's `get_data()`, Django `build_absolute_uri()`
and a `body` of bytes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from inspect import iscoroutinefunction
from string import punctuation
from typing import Any, Protocol, TypeAlias
from urllib.parse import quote

from workflow.http.webhook import request_url
from workflow.web import Request

__all__ = ["GivenRequest", "begun", "finished"]


class _Common(Protocol):
    @property
    def method(self) -> Any: ...
    @property
    def headers(self) -> Any: ...


class AsgiRequest(_Common, Protocol):
    """A request of Starlette, FastAPI or Litestar."""

    @property
    def url(self) -> Any: ...
    def body(self) -> Awaitable[bytes]: ...


class WerkzeugRequest(_Common, Protocol):
    """A request of Flask or Quart."""

    @property
    def url(self) -> Any: ...
    def get_data(self) -> Any: ...


class DjangoRequest(_Common, Protocol):
    """A request of Django."""

    @property
    def body(self) -> bytes: ...
    def build_absolute_uri(self) -> str: ...


GivenRequest: TypeAlias = Request | AsgiRequest | WerkzeugRequest | DjangoRequest


def begun(given: Any) -> tuple[Any, Any]:
    """What `finished` needs of a request: the request itself, or its parts and what gives its body.

    Flask's `request` means something in its own thread only, so it has to be asked there. Raises
    TypeError for what is no request of a known kind.
    """
    if isinstance(given, Request):
        return given, None
    data = getattr(given, "get_data", None)
    if callable(data):
        return _parts(given, given.url), data if iscoroutinefunction(data) else data()
    if callable(getattr(given, "build_absolute_uri", None)):
        return _parts(given, given.build_absolute_uri()), given.body
    if callable(getattr(given, "body", None)) and hasattr(given, "headers"):
        scope = getattr(given, "scope", None)  # has the URL as the client sent it
        return _parts(given, request_url(scope) if scope else given.url), given.body
    raise TypeError(
        "resume_webhook() takes a workflow.Request, or a request of Starlette, FastAPI, Litestar, "
        f"Quart, Flask or Django, not {type(given).__name__}. Of another framework's request, make "
        "one: workflow.Request(method, url, headers, body)"
    )


async def finished(parts: tuple[Any, Any]) -> Request:
    """The request, its body read whole."""
    made, body = parts
    if isinstance(made, Request):
        return made
    method, url, headers = made
    return Request(method, url, headers, await body() if callable(body) else body)


def _parts(given: Any, url: Any) -> tuple[str, str, list[tuple[str, str]]]:
    # Frameworks show a URL as people read it.
    text = quote(str(url), safe=punctuation)
    return given.method, text, [(str(n), str(v)) for n, v in _headers(given.headers)]


def _headers(given: Any) -> Iterable[tuple[str, str]]:
    """All pairs in order; a name may occur several times."""
    raw = getattr(given, "raw", None)  # Starlette
    if raw is not None:
        return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw]
    several = getattr(given, "multi_items", None)  # Litestar
    pairs: Iterable[tuple[str, str]] = several() if several is not None else given.items()
    return pairs

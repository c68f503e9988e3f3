"""`resume_webhook` takes the requests of web frameworks, each as its own framework makes it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any

import httpx
import litestar
import pytest
import quart
from django.conf import settings  # type: ignore[import-untyped]
from django.core.handlers.asgi import ASGIRequest  # type: ignore[import-untyped]
from django.test import RequestFactory  # type: ignore[import-untyped]
from fastapi import FastAPI
from fastapi import Request as FastAPIRequest
from flask import Flask
from flask import request as flask_request
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from workflow import Request
from workflow.http.given import begun, finished

Made = tuple[Any, list[Request]]
"""An application, and the requests that it has taken."""
BODY = b"\x00\xff binary"
HEADERS = [("x-one", "a"), ("x-tag", "1"), ("content-type", "application/octet-stream")]
URL = "http://shop.test/hooks/t%C3%A4?a=1&a=2"


async def taken(given: Any) -> Request:
    return await finished(begun(given))


async def starlette_app() -> Made:
    async def take(request: StarletteRequest) -> PlainTextResponse:
        found.append(await taken(request))
        return PlainTextResponse("")

    found: list[Request] = []
    return Starlette(routes=[Route("/hooks/{t}", take, methods=["PUT"])]), found


async def fastapi_app() -> Made:
    app = FastAPI()
    found: list[Request] = []

    async def take(t: str, request: FastAPIRequest) -> None:
        found.append(await taken(request))

    take.__annotations__["request"] = FastAPIRequest
    app.put("/hooks/{t}")(take)
    return app, found


async def litestar_app() -> Made:
    found: list[Request] = []

    @litestar.put("/hooks/{t:str}")
    async def take(request: litestar.Request[Any, Any, Any]) -> None:
        found.append(await taken(request))

    return litestar.Litestar([take], logging_config=None), found


async def quart_app() -> Made:
    app = quart.Quart("shop")
    found: list[Request] = []

    @app.put("/hooks/<t>")
    async def take(t: str) -> str:
        found.append(await taken(quart.request))
        return ""

    return app, found


@pytest.mark.parametrize("make", [starlette_app, fastapi_app, litestar_app, quart_app])
def test_requests_of_asgi_frameworks(make: Callable[[], Awaitable[Made]]) -> None:
    """Method, URL, repeated headers and a binary body arrive as they were sent."""

    async def main() -> Request:
        app, found = await make()
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport) as client:
            answer = await client.put(URL, content=BODY, headers=[*HEADERS, ("x-tag", "2")])
            assert answer.is_success, answer.text
        (request,) = found
        return request

    request = asyncio.run(main())
    check(request)
    assert request.headers.get_all("x-tag") == ["1", "2"]


def test_a_request_of_flask() -> None:
    """It is asked in its own thread, as `flask.request` is nothing elsewhere."""
    app = Flask("shop")
    found: list[Any] = []

    @app.put("/hooks/<t>")
    def take(t: str) -> str:
        found.append(begun(flask_request))
        return ""

    client = app.test_client()
    client.put("/hooks/t%C3%A4?a=1&a=2", base_url="http://shop.test", data=BODY, headers=HEADERS)
    check(asyncio.run(finished(found[0])))


def test_requests_of_django() -> None:
    """Those of WSGI and of ASGI."""
    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="for this test only")
    sync = RequestFactory(headers={"host": "shop.test"}).put(
        "/hooks/t%C3%A4?a=1&a=2", BODY, HEADERS[2][1], headers=dict(HEADERS[:2])
    )
    check(asyncio.run(taken(sync)))
    scope = {
        "type": "http",
        "method": "PUT",
        "scheme": "http",
        "path": "/hooks/tä",
        "query_string": b"a=1&a=2",
        "headers": [(n.encode(), v.encode()) for n, v in [("host", "shop.test"), *HEADERS]],
    }
    check(asyncio.run(taken(ASGIRequest(scope, BytesIO(BODY)))))


def check(request: Request) -> None:
    assert request.method == "PUT"
    assert request.url == URL
    assert request.path == "/hooks/t%C3%A4"
    assert request.content == BODY
    assert request.headers["x-one"] == "a"
    assert request.headers["content-type"] == "application/octet-stream"


def test_a_request_of_ours_is_taken_as_it_is() -> None:
    """Nothing is made anew."""
    given = Request("POST", "/")
    assert asyncio.run(taken(given)) is given


@pytest.mark.parametrize("given", [5, None, "POST", b"", {"body": "x"}, object()])
def test_what_is_no_request_is_refused(given: object) -> None:
    """The text says what to make of it."""
    with pytest.raises(TypeError, match=r"not \w+\. Of another framework's request, make one"):
        begun(given)

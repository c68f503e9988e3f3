"""Requests and responses as values."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response as StarletteResponse
from starlette.routing import Route

from workflow import web
from workflow.errors import ContextError, WebhookError
from workflow.web import FormFile, Headers, Request, Response, URLSearchParams


def test_headers_ignore_case_and_keep_repeats() -> None:
    """Names compare without case; repeated names keep all values in order."""
    headers = Headers([("Set-Cookie", "a"), ("X", "1"), ("set-cookie", " b ")])
    assert headers["SET-COOKIE"] == "a"
    assert headers.get_all("Set-Cookie") == ["a", "b"]
    assert headers.keys() == ["set-cookie", "x"]
    assert "x" in headers
    assert headers.get("y") is None
    assert headers.get("y", "z") == "z"
    assert headers == Headers([("set-cookie", "a"), ("x", "1"), ("set-cookie", "b")])
    with pytest.raises(KeyError):
        headers["y"]
    with pytest.raises(AttributeError, match="immutable"):
        headers.pairs = ()


@pytest.mark.parametrize("pair", [("a b", "x"), ("", "x"), ("a", "x\r\nb: c"), ("a", "€")])
def test_headers_refuse_what_http_forbids(pair: tuple[str, str]) -> None:
    """Names and values that would break a message are refused."""
    with pytest.raises(ValueError, match="is not a header"):
        Headers([pair])


def test_search_params() -> None:
    """A query keeps order, repeats and empty values, and is written as browsers do."""
    params = URLSearchParams("?a=1+2&b=&a=%C3%A9~*")
    assert params.items() == [("a", "1 2"), ("b", ""), ("a", "é~*")]
    assert str(params) == "a=1+2&b=&a=%C3%A9%7E*"
    assert URLSearchParams({"x": "y"}) == URLSearchParams("x=y")


def test_request_reads_its_url_and_body() -> None:
    """Path, query, text and JSON come from the URL and the body."""
    kind = {"Content-Type": "application/json; charset=latin-1"}
    request = Request("post", "https://x.test/a%20b?q=1", kind, b'{"n": "\xe9"}')
    assert (request.method, request.path, request.query_params["q"]) == ("POST", "/a%20b", "1")
    assert asyncio.run(request.text()) == '{"n": "é"}'
    assert asyncio.run(Request(body='{"n": 1}').json()) == {"n": 1}
    assert asyncio.run(Request(body=b"x").body()) == b"x"
    with pytest.raises(ValueError, match="Expecting value"):
        asyncio.run(Request(body="no").json())


def test_urlencoded_form() -> None:
    """A URL-encoded body is read as form fields."""
    kind = {"content-type": "application/x-www-form-urlencoded"}
    form = asyncio.run(Request("POST", "/", kind, b"a=1&a=2&b=%20").form())
    assert (form.get_all("a"), form["b"]) == (["1", "2"], " ")


def test_multipart_form_of_a_real_client() -> None:
    """A multipart body made by an HTTP client is read with its files."""
    sent = httpx.Request(
        "POST",
        "https://x.test/",
        data={"name": "Zoë"},
        files={"file": ("a;b.bin", b"\r\n--\x00\r\n", "application/x-thing")},
    )
    request = Request(sent.method, str(sent.url), sent.headers.items(), sent.read())
    form = asyncio.run(request.form())
    assert form.items() == [
        ("name", "Zoë"),
        ("file", FormFile("a;b.bin", "application/x-thing", b"\r\n--\x00\r\n")),
    ]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain", b"a=1"),
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: x; name=a\r\n\r\n1"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n1\r\n--x--"),
        ("application/x-www-form-urlencoded", b"a=1&" * 2000),
    ],
)  # fmt: skip
def test_bodies_that_are_no_forms(kind: str, body: bytes) -> None:
    """Other content types, cut-off bodies, unnamed parts and too many fields are ValueErrors."""
    with pytest.raises(ValueError, match=r"form|boundary|name|fields"):
        asyncio.run(Request("POST", "/", {"content-type": kind}, body).form())


def test_json_makes_and_reads_responses() -> None:
    """`Response.json` makes a response on the class and reads one on an instance."""
    response = Response.json({"a": "é"}, status=201)
    assert (response.status, response.ok, response.content) == (201, True, '{"a":"é"}'.encode())
    assert response.headers["content-type"] == "application/json"
    assert asyncio.run(response.json()) == {"a": "é"}
    assert not Response("gone", 410).ok
    with pytest.raises(ValueError, match="HTTP status"):
        Response(status=99)
    with pytest.raises(TypeError, match="bytes or text"):
        Response({"a": 1})  # type: ignore[arg-type]


def test_starlette_adapters() -> None:
    """A request goes in and a response goes out of a Starlette application unchanged."""
    seen: list[Request] = []

    async def endpoint(request: StarletteRequest) -> StarletteResponse:
        seen.append(await Request.from_starlette(request))
        cookies = [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("content-length", "999")]
        return Response("hé", 202, cookies).to_starlette()

    async def body() -> AsyncIterator[bytes]:
        yield b"ab"
        yield b"c"

    async def call() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=[Route("/p", endpoint, methods=["PUT"])]))
        async with httpx.AsyncClient(transport=transport, base_url="http://x.test") as client:
            return await client.put("/p?q=1", content=body(), headers=[("X-A", "1"), ("x-a", "2")])

    answer = asyncio.run(call())
    assert (answer.status_code, answer.text) == (202, "hé")
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert answer.headers["content-length"] == "3"
    (request,) = seen
    assert (request.method, request.url) == ("PUT", "http://x.test/p?q=1")
    assert request.content == b"abc"
    assert request.headers.get_all("X-A") == ["1", "2"]


def test_respond_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only manual webhook requests can be answered, and only where a run executes."""
    answered: list[tuple[Request, Response]] = []

    async def responder(request: Request, response: Response) -> None:
        answered.append((request, response))

    manual, response = Request(reply_to="stream"), Response("ok")
    monkeypatch.setattr(web, "responder", None)
    with pytest.raises(WebhookError, match="manual"):
        asyncio.run(Request().respond_with(response))
    with pytest.raises(ContextError, match="respond_with"):
        asyncio.run(manual.respond_with(response))
    monkeypatch.setattr(web, "responder", responder)
    asyncio.run(manual.respond_with(response))
    assert answered == [(manual, response)]

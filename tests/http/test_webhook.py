"""The webhook handler: tokens, bodies, answers, and callers that hang up."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.http.doubles import BASE, Recorder, call, exchange, lifecycle_of, scope_of
from workflow import web
from workflow.errors import HookNotFoundError, RunEndedError, WebhookError, WorldError
from workflow.http.dispatch import Part
from workflow.http.generated import GeneratedApp
from workflow.http.settings import Settings
from workflow.http.webhook import serve_webhook

HOOK = BASE + "/webhook/"
PARTS: tuple[Part, ...] = ("webhook",)
NO_BODY: list[Any] = [{"type": "http.request", "body": b"", "more_body": False}]


def served(app: Recorder) -> GeneratedApp:
    return GeneratedApp(lifecycle_of(*[app] * 9), PARTS)


def answering(answer: web.Response | Exception, token: str = "t") -> Recorder:
    app = Recorder()

    async def reply(request: web.Request) -> web.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    app.answers[token] = reply
    return app


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"])
def test_any_method_reaches_the_run(method: str) -> None:
    """The request arrives whole: method, URL, headers in order, body."""
    app = answering(web.Response(b"", status=202))
    answer = call(
        served(app),
        method,
        HOOK + "t?a=1&a=2",
        content=b"\x00body",
        headers={"x-one": "ä".encode()},
    )
    assert (answer.status_code, answer.content) == (202, b"")
    _, token, request = app.log[-1]
    assert token == "t"
    assert (request.method, request.content) == (method, b"\x00body")
    assert request.url == f"http://server.test{HOOK}t?a=1&a=2"
    assert request.headers["x-one"] == "ä".encode().decode("latin-1")


def test_the_response_is_sent_as_it_is() -> None:
    """Status, repeated headers and body come through; the length is ours."""
    headers = [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("content-length", "999")]
    app = answering(web.Response("payment", status=402, headers=headers))
    answer = call(served(app), "POST", HOOK + "t")
    assert (answer.status_code, answer.text) == (402, "payment")
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert answer.headers.get_list("content-length") == ["7"]


def test_head_gets_the_headers_without_the_body() -> None:
    """HEAD is a method like any other for the run; its answer has no body on the wire."""
    app = answering(web.Response("hello"))
    sent = asyncio.run(exchange(_direct(app), scope_of(HOOK + "t", "HEAD"), _then_waits()))
    assert (b"content-length", b"5") in sent[0]["headers"]
    assert sent[1]["body"] == b""
    assert app.log[-1][2].method == "HEAD"


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_a_body_have_none(status: int) -> None:
    """A body that HTTP does not allow is left out instead of breaking the connection."""
    answer = call(served(answering(web.Response("x", status=status))), "GET", HOOK + "t")
    assert (answer.status_code, answer.content) == (status, b"")
    assert "content-length" not in answer.headers


@pytest.mark.parametrize(
    ("raw", "token"),
    [
        ("t", "t"),
        ("approve:ada@example.com", "approve:ada@example.com"),
        ("approve%3Aada%40example.com", "approve:ada@example.com"),
        ("a/b/c", "a/b/c"),
        ("a%2Fb", "a/b"),
        ("a%252Fb", "a%2Fb"),
        ("%C3%A4", "ä"),
        ("a+b", "a+b"),
        ("a/", "a/"),
        (".well-known/workflow/v1/webhook/x", ".well-known/workflow/v1/webhook/x"),
    ],
)
def test_tokens_are_decoded_once(raw: str, token: str) -> None:
    """A token may hold any character, `:` and `/` included, plain or percent-encoded."""
    app = answering(web.Response(b"", status=202), token)
    for extra in ({}, {"root_path": "/api"}):
        prefix = extra.get("root_path", "")
        assert call(served(app), "POST", prefix + HOOK + raw, **extra).status_code == 202


@pytest.mark.fault("F48")
def test_all_ways_of_not_finding_a_webhook_are_equal() -> None:
    """Unknown, ended, undecodable and missing tokens get the same bytes, and so does `test`."""
    app = answering(RunEndedError("ended"), "ended")
    answers = [
        call(served(app), "POST", HOOK + raw, content=b"x")
        for raw in ("unknown", "ended", "%FF", "", "test")
    ]
    answers.append(call(served(app), "POST", BASE + "/nothing"))
    assert len({(a.status_code, a.content, str(a.headers)) for a in answers}) == 1
    assert answers[0].status_code == 404
    assert answers[0].json() == {"error": {"code": "not-found", "message": "not found"}}


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (HookNotFoundError("t"), 404, "not-found"),
        (TimeoutError(), 504, "webhook-timeout"),
        (WebhookError("secret"), 500, "webhook-response-not-sent"),
        (WorldError("secret"), 503, "unavailable"),
        (RuntimeError("secret"), 500, "internal"),
    ],
)
def test_failures_have_codes_and_no_insides(error: Exception, status: int, code: str) -> None:
    """What goes wrong has its own status and code; the reason stays in the log."""
    answer = call(served(answering(error)), "POST", HOOK + "t")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert "secret" not in answer.text


def test_a_response_that_http_cannot_carry_is_our_failure() -> None:
    """A status of an interim response is refused before anything is sent."""
    answer = call(served(answering(web.Response(b"", status=101))), "POST", HOOK + "t")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")


def test_the_body_limit_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """4 MiB by default; exactly the limit is good, one byte more is 413 and reaches nobody."""
    app = answering(web.Response(b"", status=202))
    assert Settings().webhook_max_bytes == 4 * 1024 * 1024
    monkeypatch.setenv("WORKFLOW_WEBHOOK_MAX_BYTES", "1000")
    assert call(served(app), "POST", HOOK + "t", content=b"x" * 1000).status_code == 202
    app.log.clear()

    async def chunks() -> Any:
        yield b"x" * 600
        yield b"x" * 401
        raise AssertionError("read on after the limit")

    for content in (b"x" * 1001, chunks()):
        answer = call(served(app), "POST", HOOK + "t", content=content)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body-too-large")
    assert set(app.log) == {"start"}


@pytest.mark.fault("F47")
def test_a_declared_length_above_the_limit_is_refused_unread() -> None:
    """With an honest content-length not a single byte of the body is asked for."""
    scope = scope_of(HOOK + "t", headers=[(b"content-length", b"99999999999")])
    sent = asyncio.run(exchange(_direct(Recorder()), scope, []))
    assert sent[0]["status"] == 413


@pytest.mark.fault("F47")
def test_a_body_that_does_not_arrive_is_given_up() -> None:
    """A slow sender does not hold the handler longer than the read timeout."""
    app = answering(web.Response())

    async def main() -> list[Any]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        settings = Settings(read_timeout=0.0)
        never = asyncio.get_running_loop().create_future
        await serve_webhook(app, settings, scope_of(HOOK + "t"), never, send)
        return sent

    assert asyncio.run(main())[0]["status"] == 408
    assert app.log == []


def test_a_caller_that_hangs_up_is_not_waited_for() -> None:
    """While a manual answer is awaited, a disconnect ends the wait and nothing is sent."""
    app = Recorder()
    ended: list[str] = []

    async def wait_for_ever(request: web.Request) -> web.Response:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        raise AssertionError("nobody sets the event")

    app.answers["t"] = wait_for_ever
    gone = [*NO_BODY, {"type": "http.disconnect"}]
    assert asyncio.run(exchange(_direct(app), scope_of(HOOK + "t"), gone)) == []
    assert ended == ["cancelled"]


@pytest.mark.fault("F47")
def test_a_caller_that_hangs_up_early_reaches_nobody() -> None:
    """A disconnect in the middle of the body means that there was no request."""
    app = answering(web.Response())
    cut: list[Any] = [
        {"type": "http.request", "body": b"ha", "more_body": True},
        {"type": "http.disconnect"},
    ]
    assert asyncio.run(exchange(_direct(app), scope_of(HOOK + "t"), cut)) == []
    assert app.log == []


def test_manual_answers_of_concurrent_callers_do_not_mix() -> None:
    """Each caller gets the answer to its own request, in whichever order they come."""
    app = Recorder()
    waiting: dict[bytes, asyncio.Future[web.Response]] = {}

    async def manual(request: web.Request) -> web.Response:
        waiting[request.content] = asyncio.get_running_loop().create_future()
        if len(waiting) == 2:
            for content in (b"two", b"one"):
                waiting[content].set_result(web.Response(content + b"!"))
        return await waiting[request.content]

    app.answers["t"] = manual

    async def main() -> list[bytes]:
        transport = httpx.ASGITransport(app=served(app))
        async with httpx.AsyncClient(transport=transport, base_url="http://s.test") as client:
            answers = await asyncio.gather(
                client.post(HOOK + "t", content=b"one"), client.post(HOOK + "t", content=b"two")
            )
        return [answer.content for answer in answers]

    assert asyncio.run(main()) == [b"one!", b"two!"]


def test_a_host_header_that_is_none_does_not_spoil_the_url() -> None:
    """The URL that the run sees can always be parsed."""
    app = answering(web.Response())
    headers = [(b"host", b"[evil")]
    asyncio.run(exchange(_direct(app), scope_of(HOOK + "t", headers=headers), _then_waits()))
    assert app.log[-1][2].url == f"http://10.0.0.7:8000{HOOK}t"


def _direct(app: Recorder) -> Any:
    async def handler(scope: Any, receive: Any, send: Any) -> None:
        await serve_webhook(app, Settings(), scope, receive, send)

    return handler


def _then_waits() -> list[Any]:
    """The body, a stray message, and the disconnect: the answer, when it is there, goes first."""
    return [*NO_BODY, {"type": "http.request"}, {"type": "http.disconnect"}]

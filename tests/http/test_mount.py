"""`with_workflow`: routes before the application's own, and one lifetime for both."""

import asyncio
import contextlib
import copy
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import fastapi
import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from tests.http.doubles import BASE, Recorder, Server, call, lifecycle_of, scope_of
from workflow import web
from workflow.errors import BundleError, WorldError, WorldUnavailableError
from workflow.http.mount import WithWorkflow, with_workflow
from workflow.http.settings import Settings

HOOK = BASE + "/webhook/t"


async def hello(request: Request) -> PlainTextResponse:
    """The application's own page."""
    return PlainTextResponse("hello " + request.url.path)


async def plain(scope: Any, receive: Any, send: Any) -> None:
    """An application that never looks at the type of its scope."""
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"plain"})


async def only_http(scope: Any, receive: Any, send: Any) -> None:
    """An application that refuses lifespans, as Django's does."""
    if scope["type"] != "http":
        raise ValueError(f"I can only handle http, not {scope['type']}")
    await plain(scope, receive, send)


def starlette(log: list[Any], *, fails: str = "") -> Starlette:
    """An application with a lifespan that writes into `log`, and fails at `fails`."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Any]]:
        log.append("app starts")
        if fails == "start":
            raise RuntimeError("no database")
        yield {"pool": "pool"}
        log.append("app stops")
        if fails == "stop":
            raise RuntimeError("no goodbye")

    return Starlette(routes=[Route("/{path:path}", hello)], lifespan=lifespan)


def recorder() -> Recorder:
    app = Recorder()

    async def reply(request: web.Request) -> web.Response:
        return web.Response("from the run", status=202)

    app.answers["t"] = reply
    return app


def serve(app: ASGIApp) -> Server:
    """Start and stop once; the server with what it was told."""

    async def main() -> Server:
        async with Server(app) as server:
            pass
        return server

    return asyncio.run(main())


def test_the_lifetime_encloses_that_of_the_application() -> None:
    """We are ready before the application starts, and stop after it has stopped."""
    durable = recorder()
    server = serve(WithWorkflow(starlette(durable.log), lifecycle_of(durable)))
    assert server.answers == ["startup.complete", "shutdown.complete"]
    assert durable.log == ["start", "app starts", "app stops", "stop"]
    assert server.error is None
    assert server.state == {"pool": "pool"}


def test_fastapi_keeps_its_lifespan_and_its_decorators() -> None:
    """The wrapped object stays usable: routes, state and settings reach the application."""
    durable = recorder()
    inner = fastapi.FastAPI()
    app = WithWorkflow(inner, lifecycle_of(durable))

    @app.get("/hello")  # type: ignore[untyped-decorator]
    async def _() -> str:
        return str(app.state.word)

    app.state.word = "hi"
    app.title = "mine"
    assert inner.title == "mine"

    async def main() -> None:
        transport = httpx.ASGITransport(app=app)
        async with (
            Server(app),
            httpx.AsyncClient(transport=transport, base_url="http://s") as client,
        ):
            assert (await client.get("/hello")).json() == "hi"
            assert (await client.post(HOOK)).text == "from the run"
            assert (await client.get("/openapi.json")).json()["info"]["title"] == "mine"

    asyncio.run(main())
    assert (durable.log[0], durable.log[-1]) == ("start", "stop")


@pytest.mark.parametrize("app", [plain, only_http])
def test_an_application_without_lifespan_is_served_too(app: Any) -> None:
    """The specification lets it raise; our own start and stop happen all the same."""
    durable = recorder()
    wrapped = WithWorkflow(app, lifecycle_of(durable))

    async def main() -> tuple[Server, httpx.Response]:
        async with Server(wrapped) as server:
            transport = httpx.ASGITransport(app=wrapped)
            async with httpx.AsyncClient(transport=transport) as client:
                return server, await client.get("http://s.test/")

    server, answer = asyncio.run(main())
    assert answer.text == "plain"
    assert durable.log == ["start", "stop"]
    assert server.answers == ["startup.complete", "shutdown.complete"]
    assert server.error is None


def test_an_application_that_returns_at_once_is_served_too() -> None:
    """Ignoring the lifespan without an error is a way of not supporting it."""
    durable = recorder()

    async def silent(scope: Any, receive: Any, send: Any) -> None:
        return None

    server = serve(WithWorkflow(silent, lifecycle_of(durable)))
    assert server.answers == ["startup.complete", "shutdown.complete"]
    assert durable.log == ["start", "stop"]


def test_an_application_that_fails_to_start_stops_everything() -> None:
    """Its own message reaches the server, after we have stopped."""
    durable = recorder()
    app = WithWorkflow(starlette(durable.log, fails="start"), lifecycle_of(durable))

    async def main() -> None:
        async def receive() -> Any:
            return {"type": "lifespan.startup"}

        async def send(message: Any) -> None:
            durable.log.append(message)

        with pytest.raises(RuntimeError, match="no database"):
            await app({"type": "lifespan", "state": {}}, receive, send)

    asyncio.run(main())
    *before, message = durable.log
    assert before == ["start", "app starts", "stop"]
    assert message["type"] == "lifespan.startup.failed"
    assert "no database" in message["message"]


def test_an_application_that_fails_to_stop_does_not_keep_us_open() -> None:
    """The failure is passed on, and our own stop happens."""
    durable = recorder()
    server = serve(WithWorkflow(starlette(durable.log, fails="stop"), lifecycle_of(durable)))
    assert server.answers == ["startup.complete", "shutdown.failed"]
    assert durable.log == ["start", "app starts", "app stops", "stop"]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (BundleError("generated/ is older than flows.py: run `wfc build`"), "run `wfc build`"),
        (WorldError("locked"), "locked"),
        (OSError("disk"), "could not start: OSError: disk"),
    ],
)
def test_what_keeps_us_from_starting_stops_the_server(error: Exception, message: str) -> None:
    """The message says what to do, and the application is not started."""
    durable = Recorder(fails=error)
    server = serve(WithWorkflow(starlette(durable.log), lifecycle_of(durable)))
    assert server.answers == ["startup.failed"]
    assert message in server.sent[0]["message"]
    assert durable.log == []


def test_a_missing_bundle_says_wfc_build(tmp_path: Path) -> None:
    """The real start-up, in a folder where nothing was built."""
    server = serve(with_workflow(plain, tmp_path / "generated"))
    assert server.answers == ["startup.failed"]
    assert "wfc build" in server.sent[0]["message"]


def test_a_cancelled_lifespan_leaves_nothing_open() -> None:
    """A server that is torn down without a shutdown message still stops the application."""
    durable = recorder()

    async def main() -> None:
        async with asyncio.timeout(60):
            server = Server(WithWorkflow(starlette(durable.log), lifecycle_of(durable)))
            await server.__aenter__()
            server._task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await server._task

    asyncio.run(main())
    assert (durable.log[0], durable.log[-1]) == ("start", "stop")


def test_without_lifespan_the_first_requests_start_it_once() -> None:
    """Concurrent first requests, to the application or to us, wait for one and the same start."""
    durable = recorder()
    app = WithWorkflow(starlette([]), lifecycle_of(durable))

    async def main() -> list[str]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://s.test") as client:
            answers = await asyncio.gather(
                *(client.get("/own") for _ in range(5)), *(client.post(HOOK) for _ in range(5))
            )
        return [answer.text for answer in answers]

    assert asyncio.run(main()) == ["hello /own"] * 5 + ["from the run"] * 5
    assert durable.log.count("start") == 1


def test_without_lifespan_a_failed_start_refuses_and_is_tried_again() -> None:
    """Requests get 503 without the reason; once the cause is gone they are served."""
    broken, durable = Recorder(fails=BundleError("secret path")), recorder()
    app = WithWorkflow(starlette([]), lifecycle_of(broken, durable))

    async def main() -> tuple[httpx.Response, httpx.Response]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://s.test") as client:
            return await client.get("/own"), await client.get("/own")

    first, second = asyncio.run(main())
    assert (first.status_code, first.json()["error"]["code"]) == (503, "unavailable")
    assert "secret" not in first.text
    assert second.text == "hello /own"


@pytest.mark.fault("F9")
def test_an_error_of_the_world_that_nobody_answers_is_a_503() -> None:
    """A route that calls start() while the database is down: the client is told to try again. What
    the application has answered already stays as it is, and other errors are the server's."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/late":
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise OSError("disk") if scope["path"] == "/other" else WorldUnavailableError("secret")

    wrapped = WithWorkflow(app, lifecycle_of(recorder(), recorder(), recorder()))
    answer = call(wrapped, "GET", "/own")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "2"
    assert "secret" not in answer.text
    for path, kind in (("/late", WorldUnavailableError), ("/other", OSError)):
        with pytest.raises(kind):
            call(wrapped, "GET", path)


def test_a_new_event_loop_is_a_new_start() -> None:
    """What was started on a loop that is gone is not used again."""
    first, second = recorder(), recorder()
    app = WithWorkflow(starlette([]), lifecycle_of(first, second))
    assert call(app, "POST", HOOK).text == call(app, "POST", HOOK).text == "from the run"
    assert first.log[0] == second.log[0] == "start"


def test_our_routes_come_before_the_middleware_of_the_application() -> None:
    """Middleware that refuses everything does not see our paths, and no other path reaches us."""

    class Closed:
        def __init__(self, app: Any) -> None: ...

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            assert scope["type"] in ("http", "lifespan")
            await PlainTextResponse("closed", 403)(scope, receive, send)

    app = WithWorkflow(Starlette(middleware=[Middleware(Closed)]), lifecycle_of(*[recorder()] * 99))
    assert call(app, "POST", HOOK).status_code == 202
    for path in ("/", BASE + "x/flow", "/api" + HOOK, "/.well-known/other"):
        assert call(app, "POST", path).text == "closed"
    for path in (BASE, BASE + "/", BASE + "/other", BASE + "/flow", BASE + "/webhook/test"):
        assert call(app, "GET", path).json()["error"]["code"] == "not-found"


def test_below_a_mount_and_a_root_path() -> None:
    """Mounted below a prefix, or behind a server with a root path, the routes keep the prefix."""
    mounted, rooted = recorder(), recorder()
    inner = WithWorkflow(starlette([]), lifecycle_of(mounted))
    outer = Starlette(routes=[Mount("/sub", app=inner)])
    assert call(outer, "POST", "/sub" + HOOK).status_code == 202
    assert mounted.base_url == "http://server.test/sub"
    app = WithWorkflow(starlette([]), lifecycle_of(rooted))
    assert call(app, "POST", "/api" + HOOK, root_path="/api").status_code == 202
    assert rooted.base_url == "http://server.test/api"


def test_the_base_url_is_set_before_the_start_and_learnt_from_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Settings win; else the first request, whatever its path, tells where the server listens."""
    monkeypatch.delenv("WORKFLOW_BASE_URL", raising=False)
    monkeypatch.setenv("PORT", "8123")
    learnt, told = recorder(), recorder()

    async def first_request(app: WithWorkflow, durable: Recorder) -> tuple[str, str]:
        async with Server(app):
            before = durable.base_url
            for server in (("10.0.0.7", 8000), ("10.0.0.8", 9000)):
                scope = scope_of("/own", "GET", server=server)
                await app(scope, asyncio.Queue[Any]().get, _ignore)
            return before, durable.base_url

    app = WithWorkflow(starlette([]), lifecycle_of(learnt))
    assert asyncio.run(first_request(app, learnt)) == (
        "http://localhost:8123",
        "http://10.0.0.7:8000",
    )
    app = WithWorkflow(starlette([]), lifecycle_of(told, base_url="https://x.test/"))
    assert asyncio.run(first_request(app, told)) == ("https://x.test", "https://x.test")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WORKFLOW_TRANSPORT", "carrier pigeon"),
        ("WORKFLOW_WEBHOOK_MAX_BYTES", "4MB"),
        ("WORKFLOW_WEBHOOK_MAX_BYTES", "0"),
        ("WORKFLOW_HTTP_KEYS", "1,2,3"),
        ("WORKFLOW_HTTP_KEYS", ""),
        ("WORKFLOW_BASE_URL", "example.com"),
    ],
)
def test_settings_that_mean_nothing_stop_the_server(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """A misspelt setting is an error at start-up, not a surprise later."""
    monkeypatch.setenv(name, value)
    server = serve(WithWorkflow(plain, lifecycle_of(recorder())))
    assert server.answers == ["startup.failed"]


@pytest.mark.parametrize("name", ["WORKFLOW_TRANSPORT", "WORKFLOW_WEBHOOK_MAX_BYTES"])
def test_an_empty_setting_is_none(name: str) -> None:
    """Files that set variables for containers pass on what is not set as an empty text."""
    assert Settings.read({name: ""}) == Settings()


@pytest.mark.parametrize("name", ["WORKFLOW_TRANSPORT", "WORKFLOW_WEBHOOK_MAX_BYTES"])
def test_a_setting_that_means_nothing_is_named(name: str) -> None:
    """The message begins with the variable to look for."""
    with pytest.raises(ValueError, match=f"^{name} is "):
        Settings.read({name: "none"})


def test_an_unknown_transport_is_refused_at_the_call() -> None:
    """A wrong argument fails where it stands."""
    with pytest.raises(ValueError, match='"process" or "http"'):
        with_workflow(plain, transport="htpp")


def test_websockets_pass_through_and_are_closed_when_we_cannot_start() -> None:
    """Only HTTP requests are ours; a websocket whose handler may call start() needs us too."""

    async def accepts(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    async def connect(durable: Recorder) -> list[Any]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        app = WithWorkflow(accepts, lifecycle_of(durable))
        scope = scope_of(HOOK, type="websocket", scheme="ws")
        await app(scope, asyncio.Queue[Any]().get, send)
        return sent

    assert asyncio.run(connect(recorder()))[0]["type"] == "websocket.accept"
    assert asyncio.run(connect(Recorder(fails=BundleError("stale"))))[0]["code"] == 1011


def test_the_wrapper_can_be_copied_and_asked_for_what_is_not_there() -> None:
    """Attributes that neither has are attribute errors, also in the middle of a copy."""
    app = WithWorkflow(plain, lifecycle_of(recorder()))
    assert not hasattr(app, "nothing_of_the_kind")
    assert copy.copy(app)._app is plain


async def _ignore(message: Any) -> None:
    return None


def test_an_application_that_is_thrown_away_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """`with_workflow(app)` without `app =` serves nothing; one that was served says nothing."""
    with_workflow(Starlette())
    [record] = caplog.records
    assert "app = with_workflow(app)" in record.getMessage()
    caplog.clear()
    kept = with_workflow(Starlette())
    assert caplog.records == []
    served = WithWorkflow(plain, lifecycle_of(Recorder()))
    call(served, "GET", "/")
    caplog.clear()
    del served
    assert caplog.records == []
    del kept
    assert len(caplog.records) == 1

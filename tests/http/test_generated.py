"""The applications of a generated folder: inert until served, one application for all of them."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.http.doubles import BASE, Recorder, Server, call, lifecycle_of, scope_of
from workflow import web
from workflow.abi.asgi_v1 import flow_app, step_handler, webhook_app, whole_app
from workflow.engine.registry import Registry
from workflow.errors import BundleError
from workflow.http.dispatch import Part
from workflow.http.generated import GeneratedApp

HOOK = BASE + "/webhook/t"


def parts(durable: Recorder, *names: Part) -> list[GeneratedApp]:
    """One handler for each name, on one lifecycle, as the generated files of one folder have."""
    lifecycle = lifecycle_of(*[durable] * 9)
    return [GeneratedApp(lifecycle, (name,)) for name in names]


def recorder() -> Recorder:
    durable = Recorder()

    async def reply(request: web.Request) -> web.Response:
        return web.Response("from the run", status=202)

    durable.answers["t"] = reply
    return durable


def test_files_of_one_folder_share_one_application(tmp_path: Path) -> None:
    """Two folders are two applications; nothing is read before they are served."""
    one, two = str(tmp_path / "one" / "app.py"), str(tmp_path / "two" / "app.py")
    shared = {
        flow_app(one)._lifecycle,
        webhook_app(one)._lifecycle,
        whole_app(one)._lifecycle,
        step_handler(Registry(str(tmp_path / "one" / "step.py")))._lifecycle,
    }
    assert len(shared) == 1
    assert whole_app(two)._lifecycle not in shared


def test_a_step_handler_needs_to_know_its_folder() -> None:
    """A registry made without a file cannot be served."""
    with pytest.raises(ValueError, match="Registry\\(__file__\\)"):
        step_handler(Registry())


def test_a_missing_bundle_stops_the_server(tmp_path: Path) -> None:
    """Served alone, a generated file reports at start-up what is wrong with its folder."""
    app = whole_app(str(tmp_path / "app.py"))

    async def main() -> Server:
        async with Server(app) as server:
            return server

    server = asyncio.run(main())
    assert server.answers == ["startup.failed"]
    assert "wfc build" in server.sent[0]["message"]


def test_the_last_of_several_lifespans_stops_the_application() -> None:
    """Handlers that are served together start it once and stop it once."""
    durable = recorder()
    flow, webhook = parts(durable, "flow", "webhook")

    async def main() -> None:
        async with Server(flow):
            async with Server(webhook):
                assert durable.log == ["start"]
            assert durable.log == ["start"]
        assert durable.log == ["start", "stop"]
        async with Server(flow) as server:
            assert durable.log[2:] == ["start"]
        assert server.answers == ["startup.complete", "shutdown.complete"]

    asyncio.run(main())
    assert durable.log == ["start", "stop"] * 2


def test_each_file_serves_its_own_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """flow.py does not answer webhooks, webhook.py does not answer deliveries."""
    monkeypatch.setenv("WORKFLOW_TRANSPORT", "http")
    flow, step, webhook = parts(recorder(), "flow", "step", "webhook")
    expected = {
        (flow, "/flow"): 401,
        (flow, "/step"): 404,
        (flow, "/webhook/t"): 404,
        (step, "/flow"): 404,
        (step, "/step"): 401,
        (webhook, "/flow"): 404,
        (webhook, "/step"): 404,
        (webhook, "/webhook/t"): 202,
    }
    for (app, path), status in expected.items():
        assert call(app, "POST", BASE + path).status_code == status
    assert call(flow, "GET", "/").status_code == 404


@pytest.mark.parametrize("prefix", ["", BASE, BASE + "/webhook", "/api", "/api" + BASE])
def test_mounted_by_hand_at_any_sensible_place(prefix: str) -> None:
    """At the root, at our base path, at the handler's own path, or below a prefix."""
    (webhook,) = parts(recorder(), "webhook")
    app = Starlette(routes=[Mount(prefix, app=webhook)], lifespan=webhook.lifespan)
    path = HOOK if BASE in prefix else prefix + HOOK
    if prefix.startswith("/api"):
        path = "/api" + HOOK
    assert call(app, "POST", path).text == "from the run"


def test_the_lifespan_of_a_framework_can_be_ours() -> None:
    """`Starlette(lifespan=app.lifespan)` starts and stops it; a failed start is raised there."""
    durable = recorder()
    (webhook,) = parts(durable, "webhook")
    app = Starlette(routes=[Mount("/", app=webhook)], lifespan=webhook.lifespan)

    async def main() -> None:
        async with Server(app):
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport) as client:
                assert (await client.post("http://s.test" + HOOK)).status_code == 202

    asyncio.run(main())
    assert (durable.log[0], durable.log[-1]) == ("start", "stop")

    (broken,) = parts(Recorder(fails=BundleError("stale")), "webhook")

    async def fails() -> None:
        with pytest.raises(BundleError, match="stale"):
            async with broken.lifespan():
                raise AssertionError("it started")

    asyncio.run(fails())


def test_websockets_are_closed() -> None:
    """There is nothing here for a websocket."""
    (flow,) = parts(recorder(), "flow")
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(flow(scope_of("/", type="websocket"), asyncio.Queue[Any]().get, send))
    assert sent == [{"type": "websocket.close", "code": 1000}]

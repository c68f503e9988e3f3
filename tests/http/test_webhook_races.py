"""Webhooks on the real engine and in every world: many callers at once, one's own routes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi import Request as FastAPIRequest
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.routing import Route

from tests import postgres
from tests.http.doubles import BASE, Server
from tests.project import build, loaded, until
from workflow import Request, Response
from workflow.api import get_run, resume_hook, resume_webhook, start
from workflow.engine import Application
from workflow.errors import HookNotFoundError, WebhookError
from workflow.http.mount import with_workflow
from workflow.world import World
from workflow.worlds import local, memory

FLOWS = '''
from workflow import Request, Response, WebhookError, create_webhook
from workflow.api import start


async def collect(count: int) -> list:
    """Take that many requests, in the order they come."""
    "use workflow"
    found = []
    async with create_webhook(token="many") as webhook:
        async for request in webhook:
            found.append(await request.text())
            if len(found) == count:
                break
    return found


async def answers(count: int) -> None:
    """Answer each caller with what it sent."""
    "use workflow"
    webhook = create_webhook(token="manual", respond_with="manual")
    for _ in range(count):
        request = await webhook
        await request.respond_with(Response.json({"got": await request.json()}, status=201))


async def answers_for(request: Request) -> list:
    """A child that answers the caller of its parent, twice."""
    "use workflow"
    await request.respond_with(Response("from a child " + await request.text()))
    try:
        await request.respond_with(Response("again"))
    except WebhookError as error:
        return [str(error)]


async def hands_on() -> list:
    "use workflow"
    webhook = create_webhook(token="handed on", respond_with="manual")
    return await (await start(answers_for, await webhook))


async def reply(request: Request) -> str:
    "use step"
    await request.respond_with(Response("from a step", headers={"x-step": "1"}))
    try:
        await request.respond_with(Response("again"))
    except WebhookError as error:
        return str(error)
    return "not reached"


async def by_step() -> list:
    """A step answers, and everything tries a second time."""
    "use workflow"
    request = await create_webhook(token="step", respond_with="manual")
    said = [await reply(request)]
    try:
        await request.respond_with(Response("a third time"))
    except WebhookError as error:
        said.append(str(error))
    return said


async def choosy(method: str | list[str]) -> list:
    """Only some methods reach the body."""
    "use workflow"
    try:
        webhook = create_webhook(token="choosy", method=method)
    except (TypeError, ValueError) as error:
        return [type(error).__name__, str(error)]
    return [(await webhook).method]


async def form() -> dict:
    """Read a form with a file in the body of the workflow."""
    "use workflow"
    request = await create_webhook(token="form")
    fields = await request.form()
    file = fields["file"]
    return {
        "method": request.method, "name": fields["name"], "file": file.filename,
        "type": file.content_type, "content": file.content, "tags": fields.get_all("tag"),
    }


async def slow() -> None:
    """A caller that is never answered while the run goes on."""
    "use workflow"
    webhook = create_webhook(token="slow", respond_with="manual")
    await webhook
    await create_webhook(token="never")
'''

Play = Callable[[httpx.AsyncClient, World, Any], Awaitable[None]]


@pytest.fixture(params=["memory", "local", "postgres"])
def make_world(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], World]:
    """How to make a world of each kind."""
    if request.param == "memory":
        return memory.create
    if request.param == "local":
        return lambda: local.create_local_world(data_dir=tmp_path / "data")
    return postgres.new_world


def serve(folder: Path, world: World, play: Play) -> None:
    """Build the flows, serve them, and let `play` go on."""
    build(folder, FLOWS)
    flows = loaded(folder)

    async def main() -> None:
        app = with_workflow(Starlette(), folder / "generated", world=world)
        transport = httpx.ASGITransport(app=app)
        async with (
            asyncio.timeout(60),
            Server(app),
            httpx.AsyncClient(transport=transport, base_url="http://server.test") as client,
        ):
            await play(client, world, flows)

    asyncio.run(main())


async def opened(world: World, token: str) -> None:
    await until(world, lambda: world.get_hook(token), what=f"the hook {token}")


def test_fifty_callers_at_once(make_world: Callable[[], World], tmp_path: Path) -> None:
    """Each request that was answered 202 reaches the run once, and in the order of its mail."""

    async def play(client: httpx.AsyncClient, world: World, flows: Any) -> None:
        run = await start(flows.collect, 50)
        await opened(world, "many")
        sent = [str(n) for n in range(50)]
        got = await asyncio.gather(
            *[client.post(BASE + "/webhook/many", content=body) for body in sent]
        )
        assert [each.status_code for each in got] == [202] * 50
        found = await run.result(60)
        assert sorted(found) == sorted(sent)
        assert (await client.post(BASE + "/webhook/many")).status_code == 404

    serve(tmp_path, make_world(), play)


def test_many_callers_each_get_their_own_answer(
    make_world: Callable[[], World], tmp_path: Path
) -> None:
    """Manual answers of concurrent callers go to the right ones."""

    async def play(client: httpx.AsyncClient, world: World, flows: Any) -> None:
        await start(flows.answers, 20)
        await opened(world, "manual")
        got = await asyncio.gather(
            *[client.post(BASE + "/webhook/manual", json=n) for n in range(20)]
        )
        assert [(each.status_code, each.json()["got"]) for each in got] == [
            (201, n) for n in range(20)
        ]

    serve(tmp_path, make_world(), play)


def test_a_step_answers_and_nobody_answers_twice(tmp_path: Path) -> None:
    """The first answer counts; a second raises in the step and in the body."""

    async def play(client: httpx.AsyncClient, world: World, flows: Any) -> None:
        run = await start(flows.by_step)
        await opened(world, "step")
        got = await client.post(BASE + "/webhook/step")
        assert (got.status_code, got.text, got.headers["x-step"]) == (200, "from a step", "1")
        assert await run.result(60) == ["this webhook request has been answered already"] * 2

    serve(tmp_path, memory.create(), play)


def test_a_child_answers(make_world: Callable[[], World], tmp_path: Path) -> None:
    """A request that goes on to a child is answered by it: the caller waits in the parent's run."""

    async def play(client: httpx.AsyncClient, world: World, flows: Any) -> None:
        run = await start(flows.hands_on)
        await opened(world, "handed on")
        got = await client.post(BASE + "/webhook/handed%20on", content="of it")
        assert (got.status_code, got.text) == (200, "from a child of it")
        (again,) = await run.result(60)
        assert again.startswith("this webhook request has been answered already")

    serve(tmp_path, make_world(), play)


def test_a_form_with_a_file(tmp_path: Path) -> None:
    """Multipart fields, repeated names and files are read in the body of the workflow."""

    async def play(client: httpx.AsyncClient, world: World, flows: Any) -> None:
        run = await start(flows.form)
        await opened(world, "form")
        got = await client.patch(
            BASE + "/webhook/form",
            data={"name": "Ada", "tag": ["a", "b"]},
            files={"file": ("cat.png", b"\x89PNG\r\n\x00", "image/png")},
        )
        assert got.status_code == 202
        assert await run.result(60) == {
            "method": "PATCH",
            "name": "Ada",
            "file": "cat.png",
            "type": "image/png",
            "content": b"\x89PNG\r\n\x00",
            "tags": ["a", "b"],
        }

    serve(tmp_path, memory.create(), play)


def test_the_wait_for_an_answer_is_a_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller that waits longer than WORKFLOW_WEBHOOK_TIMEOUT gets 504; its payload stays."""
    monkeypatch.setenv("WORKFLOW_WEBHOOK_TIMEOUT", "0.2")

    async def play(client: httpx.AsyncClient, world: World, flows: Any) -> None:
        run = await start(flows.slow)
        await opened(world, "slow")
        got = await client.post(BASE + "/webhook/slow")
        assert (got.status_code, got.json()["error"]["code"]) == (504, "webhook-timeout")
        log = await world.list_events(run.run_id)
        assert "hook_received" in [event.type for event in log]

    serve(tmp_path, memory.create(), play)


def test_a_body_without_length_is_limited_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chunks without a declared length are taken up to the limit, and refused beyond it."""
    monkeypatch.setenv("WORKFLOW_WEBHOOK_MAX_BYTES", "1000")

    async def chunks(count: int) -> Any:
        for _ in range(count):
            yield b"x" * 100

    async def play(client: httpx.AsyncClient, world: World, flows: Any) -> None:
        run = await start(flows.collect, 1)
        await opened(world, "many")
        got = await client.post(BASE + "/webhook/many", content=chunks(11))
        assert got.status_code == 413
        log = await world.list_events(run.run_id)
        assert "hook_received" not in [event.type for event in log]
        got = await client.post(BASE + "/webhook/many", content=chunks(10))
        assert got.status_code == 202
        assert await run.result(60) == ["x" * 1000]

    serve(tmp_path, memory.create(), play)


@pytest.mark.parametrize(("method", "allowed"), [("post", "POST"), (["GET", "PUT"], "GET, PUT")])
def test_a_webhook_may_take_some_methods_only(
    method: str | list[str], allowed: str, tmp_path: Path, make_world: Callable[[], World]
) -> None:
    """Others get 405 with those that it takes, by its address and on one's own route, and the run
    hears nothing of them."""

    async def play(client: httpx.AsyncClient, world: World, flows: Any) -> None:
        run = await start(flows.choosy, method)
        await opened(world, "choosy")
        for wrong in ("HEAD", "OPTIONS", "DELETE"):
            answer = await client.request(wrong, BASE + "/webhook/choosy")
            assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
        assert answer.json()["error"]["code"] == "method-not-allowed"
        assert (await resume_webhook("choosy", Request("PATCH", "/"))).status == 405
        right = allowed.split(", ")[-1]
        assert (await client.request(right, BASE + "/webhook/choosy")).status_code == 202
        assert await run.result(60) == [right]
        log = await world.list_events(run.run_id)
        assert [event.type for event in log].count("hook_received") == 1

    serve(tmp_path, make_world(), play)


def test_wrong_methods_of_a_webhook_are_refused(tmp_path: Path) -> None:
    """They raise where the webhook is created, and say what a method is."""

    async def play(client: httpx.AsyncClient, world: World, flows: Any) -> None:
        for method, text in (
            (5, "TypeError method= is a method such as 'POST', or a list of them, not 5"),
            ([], "ValueError method= names HTTP methods such as 'POST', at least one, not []"),
            (["GET", 5], "TypeError method= is a method such as 'POST', or a list of them"),
            ("GET, POST", "ValueError method= names HTTP methods such as 'POST', at least one"),
            ("", "ValueError method= names HTTP methods"),
            ("*", "ValueError method= names HTTP methods; leave it out to take requests of any"),
        ):
            said = await (await start(flows.choosy, method)).result(60)
            assert " ".join(said).startswith(text)

    serve(tmp_path, memory.create(), play)


def test_ones_own_routes(tmp_path: Path) -> None:
    """`resume_webhook` takes the requests of Starlette and FastAPI, and ours; it gives the answer
    that the run sent, and says when there is no such webhook."""
    project = build(tmp_path, FLOWS)
    app = FastAPI()

    async def own(request: StarletteRequest) -> Any:
        answer = await resume_webhook(request.path_params["token"], request)
        return answer.to_starlette()

    @app.post("/fast/{token}")
    async def fast(token: str, request: FastAPIRequest) -> Any:
        return (await resume_webhook(token, request)).to_starlette()

    app.router.routes.append(Route("/own/{token}", own, methods=["POST"]))

    async def main() -> None:
        transport = httpx.ASGITransport(app=app)
        async with (
            Application(memory.create(), project) as application,
            httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client,
        ):
            flows = loaded(tmp_path)
            run = await start(flows.answers, 3)
            await opened(application.world, "manual")
            with pytest.raises(TypeError, match="resume_webhook"):
                await resume_hook("manual", {"no": "request"})
            for path in ("/own/manual", "/fast/manual"):
                got = await client.post(path, json={"path": path})
                assert (got.status_code, got.json()) == (201, {"got": {"path": path}})
            answer = await resume_webhook("manual", Request("POST", "/", body=b"3"))
            assert isinstance(answer, Response)
            assert await answer.json() == {"got": 3}
            await get_run(run.run_id).return_value
            with pytest.raises(HookNotFoundError):
                await resume_webhook("manual", Request())
            silent = await start(flows.slow)
            await opened(application.world, "slow")
            waiting = asyncio.create_task(resume_webhook("slow", Request()))
            await opened(application.world, "never")
            await silent.cancel("over")
            with pytest.raises(WebhookError, match="without answering"):
                await waiting

    asyncio.run(main())

"""The HTTP layer on the real engine: a built project, a world, and requests from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.http.doubles import BASE, Server
from tests.project import build, loaded, until
from workflow.api import get_run, start
from workflow.http.delivery import delivery_keys
from workflow.http.mount import with_workflow
from workflow.http.signing import sign
from workflow.world import World
from workflow.worlds import memory

FLOWS = '''
    from workflow import Response, create_hook, create_webhook

    async def double(number: int) -> int:
        """Twice the number."""
        "use step"
        return number * 2

    async def calculate(number: int) -> int:
        """One step."""
        "use workflow"
        return await double(number)

    async def default() -> dict:
        """A webhook that answers at once."""
        "use workflow"
        webhook = create_webhook(token="order:1/a")
        request = await webhook
        return {"url": webhook.url, "method": request.method, "body": await request.text()}

    async def static() -> None:
        """A webhook with an answer of its own."""
        "use workflow"
        await create_webhook(token="static", respond_with=Response("pay", status=402))

    async def manual() -> None:
        """A webhook whose callers wait for what the body says."""
        "use workflow"
        request = await create_webhook(token="manual", respond_with="manual")
        await request.respond_with(Response.json({"got": await request.json()}))

    async def silent() -> None:
        """A webhook whose caller is never answered."""
        "use workflow"
        await create_webhook(token="silent", respond_with="manual")

    async def plain() -> None:
        """A hook that is not for the public."""
        "use workflow"
        await create_hook(token="plain")
'''

Play = Callable[[httpx.AsyncClient, World, Any], Awaitable[None]]


def serve(folder: Path, play: Play, **options: Any) -> None:
    """Build `FLOWS`, serve it around an application that starts runs, and let `play` go on."""
    build(folder, FLOWS)
    flows = loaded(folder)

    async def begin(request: Request) -> JSONResponse:
        run = await start(getattr(flows, request.path_params["name"]), *await request.json())
        return JSONResponse(run.run_id)

    async def main() -> None:
        world = memory.create()
        inner = Starlette(routes=[Route("/start/{name}", begin, methods=["POST"])])
        app = with_workflow(inner, folder / "generated", world=world, **options)
        transport = httpx.ASGITransport(app=app)
        async with (
            Server(app) as server,
            httpx.AsyncClient(transport=transport, base_url="http://server.test:81") as client,
        ):
            assert server.answers == ["startup.complete"], server.sent
            await play(client, world, flows)
        assert server.answers == ["startup.complete", "shutdown.complete"]

    asyncio.run(main())


async def begun(client: httpx.AsyncClient, world: World, name: str, token: str) -> str:
    """Start the workflow `name`, and wait until its hook is open."""
    run_id: str = (await client.post(f"/start/{name}", json=[])).json()
    await until(world, lambda: world.get_hook(token), what=f"the hook {token}")
    return run_id


def test_webhooks_answer_as_they_were_created(tmp_path: Path) -> None:
    """202 and the whole request for the run; a static response; an answer from the body."""

    async def play(client: httpx.AsyncClient, world: World, flows: Any) -> None:
        run_id = await begun(client, world, "default", "order:1/a")
        answer = await client.put(BASE + "/webhook/order%3A1%2Fa", content="shipped")
        assert (answer.status_code, answer.content) == (202, b"")
        assert await get_run(run_id, flows.default).return_value == {
            "url": "http://server.test:81" + BASE + "/webhook/order%3A1%2Fa",
            "method": "PUT",
            "body": "shipped",
        }
        await begun(client, world, "static", "static")
        answer = await client.get(BASE + "/webhook/static")
        assert (answer.status_code, answer.text) == (402, "pay")
        await begun(client, world, "manual", "manual")
        answer = await client.post(BASE + "/webhook/manual", json=[1, 2])
        assert (answer.status_code, answer.json()) == (200, {"got": [1, 2]})

    serve(tmp_path, play)


def test_a_run_that_ends_without_an_answer(tmp_path: Path) -> None:
    """The waiting caller of a manual webhook is told that nobody will answer."""

    async def play(client: httpx.AsyncClient, world: World, flows: Any) -> None:
        await begun(client, world, "silent", "silent")
        answer = await client.post(BASE + "/webhook/silent")
        assert answer.status_code == 500
        assert answer.json()["error"]["code"] == "webhook-response-not-sent"

    serve(tmp_path, play)


@pytest.mark.fault("F48")
def test_plain_finished_and_unknown_hooks_are_equal(tmp_path: Path) -> None:
    """An open plain hook, a webhook whose run has ended, and a guess get the same answer."""

    async def play(client: httpx.AsyncClient, world: World, flows: Any) -> None:
        await begun(client, world, "plain", "plain")
        run_id = await begun(client, world, "static", "static")
        await client.post(BASE + "/webhook/static")
        await get_run(run_id, flows.static).return_value
        answers = [
            await client.post(f"{BASE}/webhook/{token}")
            for token in ("plain", "static", "guess", "test")
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert len({(answer.content, str(answer.headers)) for answer in answers}) == 1
        assert await world.get_hook("plain") is not None

    serve(tmp_path, play)


def test_work_delivered_by_signed_calls(tmp_path: Path) -> None:
    """Without a worker a run moves when, and only when, a signed call says so."""

    async def play(client: httpx.AsyncClient, world: World, flows: Any) -> None:
        run_id: str = (await client.post("/start/calculate", json=[21])).json()
        body = f'{{"run_id":"{run_id}"}}'.encode()
        unsigned = await client.post(BASE + "/flow", content=body)
        assert unsigned.status_code == 401
        record = await world.get_run(run_id)
        assert record is not None
        assert record.status == "pending"
        headers = sign(
            key_id="1",
            key=(await delivery_keys(world))["1"],
            now=world.now() // 1_000_000,
            method="POST",
            path=BASE + "/flow",
            message_id="m-1",
            attempt=1,
            body=body,
        )
        signed = await client.post(BASE + "/flow", content=body, headers=headers)
        assert signed.json() == {"ran": True}
        assert await get_run(run_id, flows.calculate).return_value == 42
        again = await client.post(BASE + "/flow", content=body, headers=headers)
        assert again.json() == {"ran": False}

    serve(tmp_path, play, worker=False, transport="http")

"""docs/hooks.md does what it says: its files, built, served and run."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import ValidationError

from tests.examples.building import scene, served
from tests.examples.pages import DOCS, built
from tests.project import until
from workflow.api import Run, get_hook_by_token, get_world, start
from workflow.authoring.hooks import WEBHOOK_PATH
from workflow.engine import Project
from workflow.errors import HookNotFoundError
from workflow.testing import finish


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with built(DOCS / "hooks.md", tmp_path_factory.mktemp("hooks")) as project:
        yield project


@pytest.fixture
def serve(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, Callable[[httpx.AsyncClient], Awaitable[None]]], None]:
    """Do something with one of the page's applications, on a memory world of its own."""
    monkeypatch.setenv("WORKFLOW_TARGET_WORLD", "memory")
    monkeypatch.setenv("GITHUB_SECRET", "hush")
    monkeypatch.setenv("TENANT_ACME_KEY", "key of acme")

    def played(name: str, part: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
        async def main() -> None:
            async with asyncio.timeout(60), served(import_module(name).app) as client:
                await part(client)

        asyncio.run(main())

    return played


async def begin(name: str, *args: Any) -> Run[Any]:
    """Start a workflow of the page, and wait until its hook is open."""
    module, function = name.split(".")
    run = await start(getattr(import_module(module), function), *args)
    await token_of(run)
    return run


async def token_of(run: Run[Any]) -> str:
    async def look() -> str | None:
        hooks = await get_world().list_hooks(run.run_id)
        return hooks[0].token if hooks else None

    return str(await until(get_world(), look, what="a hook"))


def test_an_approval_is_decided_on_a_route(serve: Any) -> None:
    """A dict becomes the dataclass; the token is not found before and after."""

    async def part(client: httpx.AsyncClient) -> None:
        run = await begin("approval.approval", "plan")
        route = f"/decisions/{await token_of(run)}"
        answer = await client.post(route, params={"approved": True, "comment": "fine"})
        assert answer.json() == {"run_id": run.run_id}
        assert await run.result(60) == "approved: fine"
        assert Path("plan.token").read_text() == route.rpartition("/")[2]
        assert (await client.post(route, params={"approved": True})).status_code == 404

    serve("hook_routes", part)


def test_an_approval_that_nobody_gives(project: Project) -> None:
    """After two days the body goes on without."""

    async def main() -> str:
        async with scene(project) as stage:
            run: Run[str] = await start(import_module("approval").approval, "plan")
            return await finish(run, stage.clock)

    assert asyncio.run(main()) == "nobody has decided"


def test_a_channel_has_one_run_that_takes_its_messages(serve: Any) -> None:
    """Messages find the run by the channel; a second run of the channel steps back."""

    async def part(client: httpx.AsyncClient) -> None:
        def said(text: str) -> dict[str, str]:
            return {"channel": "tea", "user": "ada", "text": text}

        assert (await client.post("/chat/events", json=said("hello?"))).json() == {"ok": False}
        run = await begin("channel_bot.channel_bot", "tea")
        second: Run[list[str]] = await start(import_module("channel_bot").channel_bot, "tea")
        assert await second.result(60) == [f"the channel has its run: {run.run_id}"]
        for text in ("one", "two", "/stop"):
            assert (await client.post("/chat/events", json=said(text))).json() == {"ok": True}
        assert await run.result(60) == ["ada said one", "ada said two"]

    serve("hook_routes", part)


def test_a_payload_that_does_not_fit_is_not_delivered(serve: Any) -> None:
    """The caller hears what is wrong, the hook stays open, blanks are taken off."""

    async def part(client: httpx.AsyncClient) -> None:
        route = "/approvals/plan"
        assert (await client.get(route)).status_code == 404
        run = await begin("typed_approval.document_approval", "plan")
        wrong = await client.post(route, json={"approved": True, "by": "bob", "comment": "  "})
        assert wrong.status_code == 422
        assert wrong.json()["detail"][0]["loc"] == ["comment"]
        assert (await client.get(route)).json()["run_id"] == run.run_id
        lists = import_module("open_hooks")
        assert await lists.open_approvals() == ["plan"]
        assert await lists.addresses(run.run_id) == []
        page = await lists.hook_page()
        assert (len(page["hooks"]), page["next"]) == (1, None)
        right = await client.post(route, json={"approved": True, "by": " bob ", "comment": "ok"})
        assert right.json() == {"run_id": run.run_id}
        assert await run.result(60) == "plan approved by bob"
        assert (await client.post(route, json={"approved": 1, "by": "b", "comment": "c"})).is_error

    serve("hook_routes", part)


def test_readings_of_two_days_come_by_one_token(serve: Any) -> None:
    """A hook takes many payloads, and the run opens the token again when it has freed it."""

    async def part(client: httpx.AsyncClient) -> None:
        run = await begin("readings.collect", "m-1")
        for day in range(2):

            async def is_day(day: int = day) -> bool:
                with suppress(HookNotFoundError):
                    found: object = (await get_hook_by_token("meter:m-1")).metadata
                    return found == {"day": day}
                return False

            await until(get_world(), is_day, what=f"the hook of day {day}")
            for value, done in ((1 + day, False), (2, True)):
                answer = await client.post("/hooks/meter:m-1", json={"value": value, "done": done})
                assert answer.json() == {"run_id": run.run_id}
        assert await run.result(60) == [3, 4]
        assert (await client.post("/hooks/meter:m-1", json={"value": 1})).status_code == 404

    serve("hook_routes", part)


def test_hooks_of_other_types(serve: Any) -> None:
    """A typed dict, a model with a function of its own, a dict and a number in steps of five."""
    types = import_module("other_types")
    payloads: list[tuple[Any, str, Any, Any]] = [
        (types.notes, "note", {"text": "a"}, {"text": "a", "stars": 5}),
        (types.coupons, "coupon", {"code": "milk-1"}, {"code": "tea-1"}),
        (types.counts, "count", {"a": "b"}, {"a": 1}),
        (types.amounts, "amount", 7, 10),
    ]

    async def part(client: httpx.AsyncClient) -> None:
        run = await begin("other_types.sale", "s")
        for hook, name, wrong, right in payloads:
            token = f"{name}:s"

            async def is_open(token: str = token) -> bool:
                return await get_world().get_hook(token) is not None

            await until(get_world(), is_open, what=token)
            with pytest.raises(ValidationError):
                await hook.resume(token, wrong)
            assert (await hook.resume(token, right)).run_id == run.run_id
        assert await run.result(60) == ["a", "TEA-1", {"a": 1}, 10]

    serve("hook_routes", part)


def test_a_script_resumes_a_hook(serve: Any) -> None:
    """What the routes do, any code of the application may do."""

    async def part(client: httpx.AsyncClient) -> None:
        run = await begin("approval.approval", "plan")
        decide = import_module("hook_routes").decide_elsewhere
        assert await decide(await token_of(run), False) == run.run_id
        assert await run.result(60) == "rejected: by script"

    serve("hook_routes", part)


def test_a_form_with_a_file(serve: Any) -> None:
    """The file arrives with its name, type and bytes; what is no such form is answered, too."""

    async def part(client: httpx.AsyncClient) -> None:
        path = f"{WEBHOOK_PATH}picture:ada"
        run = await begin("webhooks.picture", "ada")
        answer = await client.post(path, files={"file": ("ä.png", b"\x89PNG", "image/png")})
        assert (answer.status_code, answer.text) == (201, "thank you")
        assert await run.result(60) == {"name": "ä.png", "bytes": 4}
        assert Path("ada.picture").read_bytes() == b"\x89PNG"

        run = await begin("webhooks.picture", "ada")
        assert (await client.post(path, data={"file": "none"})).status_code == 201
        assert await run.result(60) == {"text": "none"}

        for sent in ({"data": {"other": "x"}}, {"content": b"x"}):
            run = await begin("webhooks.picture", "ada")
            answer = await client.post(path, **sent)
            assert answer.status_code == 400
            assert answer.text.startswith("send a form with a file: ")
            assert "error" in await run.result(60)

    serve("webhook_routes", part)


async def published(name: str) -> str:
    """The path of the address that a workflow has entered at the other system."""
    file = Path(f"{name}.url")

    async def look() -> str | None:
        return file.read_text() if file.exists() else None

    path = urlsplit(await until(get_world(), look, what=f"the address {name}")).path
    file.unlink()
    return path


def test_webhooks_answer_in_three_ways(serve: Any) -> None:
    """202 at once, a fixed response, and what the run decides from a step and from the body."""

    async def part(client: httpx.AsyncClient) -> None:
        run = await begin("webhooks.accepted")
        answer = await client.put(await published("accepted"), json={"a": 1})
        assert (answer.status_code, answer.content) == (202, b"")
        assert await run.result(60) == {"method": "PUT", "data": {"a": 1}}

        run = await begin("webhooks.with_thanks")
        answer = await client.post(await published("thanks"), content="x")
        assert (answer.status_code, answer.json()) == (200, {"received": True})
        assert await run.result(60) == "x"

        run = await begin("webhooks.tickets")
        path = await published("tickets")
        for number, wish in enumerate(("tea", "cake"), 1):
            assert (await client.post(path, json={"wish": wish})).json() == {"ticket": number}
        assert (await client.post(path, json={"wish": "nothing"})).text == "bye"
        assert await run.result(60) == ["tea", "cake"]

    serve("webhook_routes", part)


def test_only_signed_requests_go_on(serve: Any) -> None:
    """A route of one's own checks the signature, then hands the request on."""

    async def part(client: httpx.AsyncClient) -> None:
        body = json.dumps({"after": "abc"}).encode()
        signature = "sha256=" + hmac.new(b"hush", body, hashlib.sha256).hexdigest()
        signed = {"x-hub-signature-256": signature}
        assert (await client.post("/github/shop", content=body, headers=signed)).status_code == 404
        run = await begin("webhooks.on_push", "shop")
        assert (await client.post("/github/shop", content=body)).status_code == 401
        answer = await client.post("/github/shop", content=body, headers=signed)
        assert answer.status_code == 202
        assert await run.result(60) == "deployed abc"

    serve("webhook_routes", part)


def test_commands_of_a_chat(serve: Any) -> None:
    """Forms are answered one by one; a channel without a run says so."""

    async def part(client: httpx.AsyncClient) -> None:
        def form(text: str) -> dict[str, str]:
            return {"channel_id": "tea", "command": "/status", "text": text}

        nobody = await client.post("/chat/commands", data=form("?"))
        assert nobody.json() == {"text": "nothing is going on in this channel"}
        run = await begin("webhooks.commands", "tea")
        for text in ("how are you", "stop"):
            answer = await client.post("/chat/commands", data=form(text))
            assert answer.json() == {"response_type": "in_channel", "text": text}
            assert answer.headers["content-type"] == "application/json"
        assert await run.result(60) == ["/status how are you", "/status stop"]

    serve("webhook_routes", part)


def test_tenants_have_keys_and_tokens_of_their_own(serve: Any) -> None:
    """Without the key nothing goes on, and other tenants have no address."""

    async def part(client: httpx.AsyncClient) -> None:
        run = await begin("webhooks.tenant_event", "acme", "orders")
        key = {"authorization": "key of acme"}
        assert (await client.post("/tenants/acme/orders", content="x")).status_code == 401
        assert (await client.post("/tenants/evil/orders", headers=key)).status_code == 401
        assert (await client.post("/tenants/acme/other", headers=key)).status_code == 404
        answer = await client.post("/tenants/acme/orders", content="x", headers=key)
        assert answer.text == "noted"
        assert await run.result(60) == b"x"

        run = await begin("webhooks.tenant_event", "acme", "orders")
        trigger = import_module("webhook_routes").trigger
        assert await trigger("tenant:acme:orders", "by hand") == "noted"
        assert await run.result(60) == b"by hand"

    serve("webhook_routes", part)

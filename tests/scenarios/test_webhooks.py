"""Webhooks, called over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenarios.stage import Service, Stage, on

ROUTE = "/.well-known/workflow/v1/webhook/"


@pytest.mark.scenario("webhookWorkflow")
def test_webhook_workflow(service: Service) -> None:
    """202 at once, an answer of its own, and one that a step gives; method, URL and body arrive."""

    async def work(stage: Stage) -> None:
        run = await stage.start("webhooks.webhook_workflow")
        await stage.hooks(run, 3)
        plain = await stage.client.put(f"{ROUTE}w-plain?a=1", content="first")
        static = await stage.client.post(f"{ROUTE}w-static", content="second")
        manual = await stage.client.patch(f"{ROUTE}w-manual", json={"n": 3})
        assert (plain.status_code, plain.content) == (202, b"")
        assert (static.status_code, static.text) == (402, "pay first")
        assert (manual.status_code, manual.json()) == (200, {"got": {"n": 3}})
        at = stage.service.url + ROUTE
        assert await stage.result(run) == [
            {"method": "PUT", "url": f"{at}w-plain?a=1", "body": "first"},
            {"method": "POST", "url": f"{at}w-static", "body": "second"},
            {"method": "PATCH", "url": f"{at}w-manual", "body": {"n": 3}},
        ]

    on(service, work)


@pytest.mark.scenario("webhook with an unknown token")
def test_unknown_token(service: Service) -> None:
    """404, and nothing that tells an unknown token from one that is over."""

    async def work(stage: Stage) -> None:
        run = await stage.start("hooks.one_payload", "w-plain-hook")
        await stage.hook("w-plain-hook")
        answers = [
            await stage.client.post(ROUTE + token, json={}) for token in ("nobody", "w-plain-hook")
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].content == answers[1].content
        await run.cancel()

    on(service, work)


@pytest.mark.scenario("parallelStepsThenWebhook")
def test_parallel_steps_then_webhook(service: Service) -> None:
    """Ten rounds of steps at once and a webhook: ten webhooks, no conflict, every body arrives."""

    async def work(stage: Stage) -> None:
        run = await stage.start("webhooks.parallel_steps_then_webhook")
        seen: set[str] = set()

        async def opened() -> str | None:
            hooks = await stage.world.list_hooks(run.run_id)
            return next((hook.token for hook in hooks if hook.token not in seen), None)

        for n in range(10):
            token: Any = await stage.until(opened)
            seen.add(token)
            answer = await stage.client.post(ROUTE + token, json={"round": n})
            assert answer.status_code == 202
        assert await stage.result(run) == list(range(10))
        types = await stage.types(run)
        assert types.count("hook_created") == 10
        assert "hook_conflict" not in types

    on(service, work)

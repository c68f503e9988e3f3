"""A token that passes to another hook between the look at it and the post. On every world."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.streaming import WORLDS, MakeWorld, maker
from tests.project import build, loaded, until
from workflow import Request
from workflow.api import Run, get_run, resume_hook, resume_webhook, with_options
from workflow.engine import Application
from workflow.errors import HookNotFoundError
from workflow.world.port import World
from workflow.world.records import Letter, Posted
from workflow.worlds import memory

FLOWS = """
from workflow import Response, create_hook, create_webhook, sleep


async def first(how: str) -> None:
    "use workflow"
    if how == "hook":
        hook = create_hook(token="t")
    else:
        hook = create_webhook(token="t", respond_with="manual")
    await sleep("1 day")


async def second(how: str) -> object:
    "use workflow"
    if how == "hook":
        return await create_hook(token="t")
    if how == "posts":
        return (await create_webhook(token="t", method="POST")).method
    request = await create_webhook(token="t", respond_with="manual")
    await request.respond_with(Response(await request.text() + " for the second"))
    return "answered"
"""
KEYS = base64.b64encode(b"n" * 32).decode()


@pytest.fixture(params=WORLDS)
def make_world(request: pytest.FixtureRequest, tmp_path: Path) -> MakeWorld:
    return maker(request.param, tmp_path)


def play(
    folder: Path,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    hows: tuple[str, str],
    ask: Callable[[Run[Any]], Awaitable[None]],
) -> None:
    """Call `ask`. When it has looked at the hook of the first run and is about to post, that run
    ends and the second one, which `ask` is given, takes the token."""
    project = build(folder, FLOWS)
    flows = loaded(folder)
    post = world.post_to_token

    async def pass_on(token: str, letter: Letter) -> Posted:
        monkeypatch.setattr(world, "post_to_token", post)
        await get_run("wrun_first").terminate()
        await with_options(run_id="wrun_second").start(flows.second, hows[1])
        await until(world, lambda: held_by("wrun_second"))
        return await post(token, letter)

    async def held_by(run_id: str) -> bool:
        hook = await world.get_hook("t")
        return hook is not None and hook.run_id == run_id

    async def main() -> None:
        async with Application(world, project), asyncio.timeout(120):
            await with_options(run_id="wrun_first").start(flows.first, hows[0])
            await until(world, lambda: held_by("wrun_first"))
            monkeypatch.setattr(world, "post_to_token", pass_on)
            await ask(get_run("wrun_second"))

    asyncio.run(main())


def test_a_caller_is_answered_by_the_run_that_has_the_request(
    make_world: MakeWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits where the run that takes the request answers, not where the one before it was."""

    async def ask(second: Run[Any]) -> None:
        answer = await resume_webhook("t", Request("POST", "/", body="asked"))
        assert await answer.text() == "asked for the second"
        assert await second.result(60) == "answered"

    play(tmp_path, make_world(), monkeypatch, ("manual", "manual"), ask)


def test_the_rules_are_those_of_the_webhook_that_gets_the_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the webhook before it took, another one may refuse; then nothing reaches it."""

    async def ask(second: Run[Any]) -> None:
        assert (await resume_webhook("t", Request("GET", "/"))).status == 405
        assert (await resume_webhook("t", Request("POST", "/"))).status == 202
        assert await second.result(60) == "POST"

    play(tmp_path, memory.create(), monkeypatch, ("manual", "posts"), ask)


def test_a_request_never_reaches_a_plain_hook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that was a webhook's is unknown to HTTP when it has become a hook's."""

    async def ask(second: Run[Any]) -> None:
        with pytest.raises(HookNotFoundError):
            await resume_webhook("t", Request("GET", "/"))
        await resume_hook("t", "mine")
        assert await second.result(60) == "mine"

    play(tmp_path, memory.create(), monkeypatch, ("manual", "hook"), ask)


def test_who_resumes_is_told_which_run_has_the_payload(
    make_world: MakeWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record that comes back is that of the hook that was resumed, and it is for this run that
    the payload is sealed."""
    monkeypatch.setenv("WORKFLOW_ENCRYPTION_KEYS", KEYS)

    async def ask(second: Run[Any]) -> None:
        assert (await resume_hook("t", "sealed")).run_id == second.run_id
        assert await second.result(60) == "sealed"

    play(tmp_path, make_world(), monkeypatch, ("hook", "hook"), ask)

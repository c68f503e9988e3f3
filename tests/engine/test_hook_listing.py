"""Lists of open hooks, as applications see them. On every world."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.engine.streaming import WORLDS, MakeWorld, maker
from tests.project import build, loaded, until
from workflow import sync
from workflow.api import get_hooks, list_hooks, start
from workflow.engine import Application

FLOWS = """
from workflow import create_hook, create_webhook, pending_action, sleep


async def opens(name: str, count: int) -> None:
    "use workflow"
    hooks = [create_hook(token=f"{name}:{n}", metadata={"n": n}) for n in range(count)]
    for hook in hooks:
        await hook.get_conflict()
    create_webhook(token=f"{name}:web")
    await pending_action("ask", options=["yes"])
"""

WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"limit": 0}, ValueError, "a page has 1 to 1000 hooks, not 0"),
    ({"limit": True}, ValueError, "a page has 1 to 1000 hooks, not True"),
    ({"cursor": "x"}, ValueError, "'x' is not a cursor of a hook listing"),
    ({"cursor": 5}, ValueError, "5 is not a cursor of a hook listing"),
    ({"run": 5}, TypeError, "run= is a run or its id, not 5"),
    ({"token_prefix": None}, TypeError, "token_prefix= is what tokens begin with, not None"),
    ({"webhook": "yes"}, TypeError, "webhook= is True, False, or None for both, not 'yes'"),
]


@pytest.fixture(params=WORLDS)
def make_world(request: pytest.FixtureRequest, tmp_path: Path) -> MakeWorld:
    return maker(request.param, tmp_path)


def test_open_hooks_are_listed(make_world: MakeWorld, tmp_path: Path) -> None:
    """By run, by what the token begins with and by kind, whole or in pages, blocking or not; the
    questions to people are not among them."""
    project = build(tmp_path, FLOWS)
    flows = loaded(tmp_path)

    async def main() -> None:
        async with Application(make_world(), project) as app, asyncio.timeout(120):
            runs = [await start(flows.opens, name, 3) for name in ("a", "b")]

            async def all_asked() -> bool:
                return [await run.status for run in runs] == ["paused", "paused"]

            await until(app.world, all_asked)
            found = [hook async for hook in list_hooks()]
            assert len(found) == 8
            assert [hook.created_at for hook in found] == sorted(h.created_at for h in found)
            assert {hook.metadata["n"] for hook in found if not hook.webhook} == {0, 1, 2}

            async def tokens(**where: Any) -> set[str]:
                return {hook.token async for hook in list_hooks(**where)}

            of_b = {"b:0", "b:1", "b:2", "b:web"}
            assert await tokens(run=runs[1]) == await tokens(run=runs[1].run_id) == of_b
            assert await tokens(token_prefix="b:") == of_b
            assert await tokens(webhook=True) == {"a:web", "b:web"}
            assert await tokens(webhook=False, run=runs[0]) == {"a:0", "a:1", "a:2"}
            assert await tokens(token_prefix="never") == await tokens(run="wrun_never") == set()

            pages = [await get_hooks(limit=3)]
            while pages[-1].has_more:
                pages.append(await get_hooks(limit=3, cursor=pages[-1].cursor))
            assert [hook for page in pages for hook in page.hooks] == found
            assert all(len(page.hooks) == 3 for page in pages[:-1])

            def blocking() -> None:
                run = sync.get_run(runs[1].run_id)
                assert {hook.token for hook in sync.list_hooks(run=run)} == of_b
                page = sync.get_hooks(run=run, limit=4, webhook=None)
                assert {hook.token for hook in page.hooks} == of_b
                with pytest.raises(TypeError, match="run= is a run or its id"):
                    list(sync.list_hooks(run=5))  # type: ignore[arg-type]

            await asyncio.to_thread(blocking)
            for given, kind, text in WRONG:
                with pytest.raises(kind, match=text):
                    await get_hooks(**given)

    asyncio.run(main())

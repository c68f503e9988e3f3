"""A workflow that is called like a function where no build is loaded, as a test may do."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.engine.forms import live
from workflow.errors import ContextError, DirectCallError

FLOWS = '''
from workflow import create_hook, sleep

done = []


async def mail(to):
    "use step"
    done.append(to)


async def remind(to):
    """Remind somebody."""
    "use workflow"
    await mail(to)
    await sleep(1)


class Shop:
    @staticmethod
    async def ask(to):
        'use workflow'
        await later()


async def later():
    await create_hook(token="t")


async def plain():
    await sleep(1)
'''


@pytest.mark.parametrize("name", ["remind", "ask"])
def test_the_workflow_is_named(tmp_path: Path, name: str) -> None:
    """The first thing that needs a run says which workflow was called, and what to do."""
    module = live(tmp_path, FLOWS)
    function = module.remind if name == "remind" else module.Shop.ask
    with pytest.raises(DirectCallError) as caught:
        asyncio.run(function("a"))
    shown = function.__qualname__
    assert f"{shown} is a workflow and was called like a function" in str(caught.value)
    assert f"`await start({shown}, ...)`" in str(caught.value)


def test_other_code_is_told_about_the_place(tmp_path: Path) -> None:
    """Where no workflow is involved, the error is the one about code outside of a workflow."""
    module = live(tmp_path, FLOWS)
    with pytest.raises(ContextError, match="code outside of a workflow") as caught:
        asyncio.run(module.plain())
    assert not isinstance(caught.value, DirectCallError)

"""What applications see of an open hook."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.project import build, loaded, until
from workflow.api import get_hook_by_token, resume_hook, start
from workflow.engine import Application
from workflow.testing import VirtualClock, settle
from workflow.worlds import memory

FLOWS = """
from dataclasses import dataclass

from workflow import create_hook


@dataclass
class Order:
    number: int


async def asks(token: str, about: Order | None) -> str:
    "use workflow"
    return await create_hook(token=token, metadata=about)
"""


@pytest.mark.parametrize("number", [7, None])
def test_the_record_of_an_open_hook(tmp_path: Path, number: int | None) -> None:
    """Its time is a datetime, its metadata the value again; whoever resumes it gets it as well."""
    project = build(tmp_path, FLOWS)
    flows = loaded(tmp_path)
    begin = datetime(2026, 3, 4, 5, tzinfo=UTC)
    about = None if number is None else flows.Order(number)

    async def main() -> None:
        clock = VirtualClock(round(begin.timestamp() * 1_000_000))
        async with Application(memory.create(clock), project) as application:
            run = await start(flows.asks, "t", about)

            async def is_open() -> bool:
                return await application.world.get_hook("t") is not None

            await until(application.world, is_open)
            found = await get_hook_by_token("t")
            assert (found.run_id, found.token, found.webhook) == (run.run_id, "t", False)
            assert found.hook_id.startswith("hook_")
            assert found.created_at == begin
            assert found.created_at.tzinfo is UTC
            assert found.metadata == about
            assert type(found.metadata) is type(about)
            assert "Order" not in repr(found)
            assert await settle(run) == (found,)
            assert await resume_hook(found, "yes") == found
            assert await run.result(60) == "yes"

    asyncio.run(main())

"""Hooks with a payload type, described once for the workflow and for whoever resumes it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.project import build, loaded, until
from workflow.api import get_hook_by_token, resume_hook, start
from workflow.engine import Application
from workflow.worlds import memory

FLOWS = """
    from pydantic import BaseModel
    from workflow import define_hook

    class Approval(BaseModel):
        approved: bool
        by: str = "nobody"

    approvals = define_hook(Approval)

    async def order() -> str:
        "use workflow"
        answer = await approvals.create(token="t")
        return f"{answer.approved} {answer.by} {type(answer).__name__}"
"""


def test_a_payload_that_does_not_fit_leaves_the_hook_waiting(tmp_path: Path) -> None:
    """It is refused before the run wakes; one that fits arrives as an instance of the type."""
    project = build(tmp_path, FLOWS)
    flows = loaded(tmp_path)

    async def main() -> None:
        async with Application(memory.create(), project) as application:
            run = await start(flows.order)

            async def open_hook() -> bool:
                return await application.world.get_hook("t") is not None

            await until(application.world, open_hook)
            with pytest.raises(ValidationError):
                await flows.approvals.resume("t", {"approved": "perhaps"})
            assert await run.status == "running"
            await flows.approvals.resume("t", {"approved": "yes", "by": "grace"})
            assert await run.result(60) == "True grace Approval"

    asyncio.run(main())


def test_a_hook_that_was_looked_up_stands_for_its_token(tmp_path: Path) -> None:
    """What `get_hook_by_token` gives can be resumed, with a definition and without."""
    project = build(tmp_path, FLOWS)
    flows = loaded(tmp_path)

    async def main() -> None:
        async with Application(memory.create(), project) as application:
            for given in ({"approved": True}, flows.Approval(approved=True)):
                run = await start(flows.order)

                async def open_hook() -> bool:
                    return await application.world.get_hook("t") is not None

                await until(application.world, open_hook)
                hook = await get_hook_by_token("t")
                with pytest.raises(ValidationError):
                    await resume_hook(hook, {"approved": "perhaps"}, of=flows.approvals)
                assert await resume_hook(hook, given) == hook
                assert await run.result(60) == "True nobody Approval"

    asyncio.run(main())

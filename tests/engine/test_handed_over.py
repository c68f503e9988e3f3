"""A step that a graceful stop cuts off begins again under the number of the attempt that was taken
back. What it had done under that number is told apart from what it does then."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.project import build, ended, loaded, until
from workflow import web
from workflow.api import get_run, resume_webhook, start
from workflow.engine import Application, session
from workflow.worlds.local import create_local_world

FLOWS = """
    import asyncio

    from workflow import create_webhook, get_step_metadata, get_writable, step_options

    gate = None
    begun = None

    async def idle(n: int) -> int:
        "use step"
        return n

    @step_options(max_retries=0)
    async def tell(where: str) -> int:
        "use step"
        out = get_writable(namespace=where)
        for n in range(3):
            await out.write(f"{where} {n}")
            if n == 1:
                begun.set()
                await gate.wait()
        return get_step_metadata().attempt

    async def inline(where: str) -> int:
        "use workflow"
        return await tell(where)

    async def as_task(where: str, others: int) -> int:
        "use workflow"
        done = await asyncio.gather(*[idle(n) for n in range(others)], tell(where))
        return done[-1]

    @step_options(max_retries=0)
    async def answer(request) -> str:
        "use step"
        from workflow import Response
        await request.respond_with(Response("yes"))
        begun.set()
        await gate.wait()
        return "answered"

    async def asked(token: str) -> str:
        "use workflow"
        request = await create_webhook(token=token, respond_with="manual")
        return await answer(request)
"""


@pytest.mark.fault("F38")
@pytest.mark.parametrize("how", ["inline", "as_task"])
def test_a_stream_has_the_values_of_what_was_cut_off_once(how: str, tmp_path: Path) -> None:
    """Who reads with `skip_failed` gets what the execution wrote that gave the result, and nothing
    of the one before; who reads everything gets both."""
    project = build(tmp_path, FLOWS)
    flows = loaded(tmp_path)

    async def main() -> None:
        flows.gate, flows.begun = asyncio.Event(), asyncio.Event()
        async with Application(create_local_world(tmp_path / "data"), project, grace=0.05):
            more = (session.INLINE,) if how == "as_task" else ()
            run = await start(getattr(flows, how), "out", *more)
            async with asyncio.timeout(60):
                await flows.begun.wait()
        flows.gate.set()
        async with Application(create_local_world(tmp_path / "data"), project):
            run = get_run(run.run_id)
            assert await run.result(60) == 1  # nobody counts what was taken back
            everything = [value async for value in run.get_readable(namespace="out")]
            assert everything == ["out 0", "out 1", "out 0", "out 1", "out 2"]
            kept = run.get_readable(namespace="out", skip_failed=True)
            assert [value async for value in kept] == ["out 0", "out 1", "out 2"]

    asyncio.run(main())


@pytest.mark.fault("F38")
def test_an_answer_that_was_given_is_not_given_again(tmp_path: Path) -> None:
    """The caller has it. The step goes on behind it instead of failing, and a step without retries
    would have failed its run."""
    project = build(tmp_path, FLOWS)
    flows = loaded(tmp_path)

    async def main() -> None:
        flows.gate, flows.begun = asyncio.Event(), asyncio.Event()
        async with Application(create_local_world(tmp_path / "data"), project, grace=0.05) as app:
            run = await start(flows.asked, "door")

            async def listening() -> Any:
                return await app.world.list_hooks()

            await until(app.world, listening, what="the webhook")
            async with asyncio.timeout(60):
                request = web.Request("POST", "http://localhost/")
                response = await resume_webhook("door", request)
                assert (response.status, await response.text()) == (200, "yes")
                await flows.begun.wait()
        flows.gate.set()
        async with Application(create_local_world(tmp_path / "data"), project) as app:
            assert (await ended(app, run.run_id)).status == "completed"
            assert await get_run(run.run_id).result(60) == "answered"

    asyncio.run(main())

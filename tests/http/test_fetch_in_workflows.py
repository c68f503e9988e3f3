"""`fetch` in workflows, and the samples of docs/fetch.md."""

from __future__ import annotations

import asyncio
import datetime
import json
import sys
from email.utils import format_datetime
from pathlib import Path

import pytest

import wfc
from tests.examples.pages import DOCS, files_of, write
from tests.http.test_fetch import Asked, answer, echo, server
from tests.project import build, loaded, until
from workflow.api import start
from workflow.engine import Application, Project
from workflow.errors import WorkflowRunFailedError
from workflow.testing.clock import VirtualClock
from workflow.worlds import memory

FLOWS = """
from workflow import FetchError, FetchRefusedError, Headers, Request, fetch


async def asks(url: str) -> list:
    "use workflow"
    request = Request("POST", url + "/a", Headers([("x-tag", "1"), ("x-tag", "2")]), b"body")
    first = await fetch(request, params=[("q", "1"), ("q", "2")], max_bytes=500, private=True)
    return [first.status, await first.text(), first.headers["x-target"]]


async def too_large(url: str) -> str:
    "use workflow"
    try:
        await fetch(url, max_bytes=5)
    except FetchRefusedError as error:
        return f"{isinstance(error, FetchError)} {error}"
    return "not reached"


async def credentials(url: str) -> None:
    "use workflow"
    await fetch(url.replace("http://", "http://me:secret@"))
"""


def test_in_a_workflow(tmp_path: Path) -> None:
    """The response is recorded; what another attempt cannot change is tried once and can be
    caught; credentials do not reach the log."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        async with (
            server(echo) as (place, seen),
            Application(memory.create(), project) as app,
        ):
            flows, url = loaded(tmp_path), f"http://{place}"
            found = await (await start(flows.asks, url)).result(60)
            assert found == [200, "body", "/a?q=1&q=2"]
            assert seen[0].all("x-tag") == ["1", "2"]
            run = await start(flows.credentials, url)
            with pytest.raises(WorkflowRunFailedError) as caught:
                await run.result(60)
            assert "holds a user name or password" in str(caught.value.__cause__)
            log = await app.world.list_events(run.run_id)
            assert "step_created" not in [event.type for event in log]

    asyncio.run(main())


def test_a_refusal_is_not_tried_again(tmp_path: Path) -> None:
    """The body may catch it by its class, and the service saw one request."""
    project = build(tmp_path, FLOWS)

    async def main() -> None:
        async with (
            server(lambda asked: answer("200 OK", b"x" * 10)) as (place, seen),
            Application(memory.create(), project),
        ):
            run = await start(loaded(tmp_path).too_large, f"http://{place}/")
            assert (await run.result(60)).startswith(f"True the response of http://{place}/ is ")
            assert len(seen) == 1

    asyncio.run(main())


def test_the_page(tmp_path: Path) -> None:
    """The samples of docs/fetch.md run: a report is fetched, and 429 is waited for as asked."""
    page = DOCS / "fetch.md"
    assert page.read_text("utf-8").count("```python") == len(files_of(page)) == 2
    write(page, tmp_path)
    result = wfc.build(tmp_path)
    assert not result.diagnostics, [str(d) for d in result.diagnostics]
    project = Project.load(tmp_path / "generated")
    now = 1_800_000_000
    clock = VirtualClock(now * 1_000_000)
    date = format_datetime(datetime.datetime.fromtimestamp(now + 200, datetime.UTC), usegmt=True)
    limited = iter(["retry-after: 90", f"retry-after: {date}"])
    broken = iter([answer("500 Oh")])

    def serve(asked: Asked) -> bytes:
        if asked.target.startswith("/forecast?city="):
            return answer("200 OK", b'{"id": 7, "text": "rain"}')
        if asked.target == "/document":
            wait = next(limited, None)
            if wait is not None:
                return answer("429 Slow down", b"", wait)
            return next(broken, answer("200 OK", b'{"a": 1}'))
        return answer("404 No") if asked.target == "/gone" else answer("200 OK")

    async def main() -> None:
        patient, weather = sys.modules["patient"], sys.modules["weather"]
        async with (
            server(serve) as (place, seen),
            Application(memory.create(clock), project) as app,
        ):
            url = f"http://{place}"
            assert await (await start(weather.forecast, url, "Rome")).result(60) == "rain"
            assert json.loads(seen[1].body) == {"report": 7}
            document = await start(patient.download, url + "/document")
            for attempt, at in ((1, now + 90), (2, now + 200), (3, None)):

                async def waits(attempt: int = attempt) -> int | None:
                    tasks = await app.world.list_tasks(document.run_id)
                    return next(
                        (t.run_at for t in tasks if t.owner is None and t.attempt == attempt), None
                    )

                due = await until(app.world, waits)
                if at is not None:
                    assert due == at * 1_000_000
                clock.advance((due - app.world.now()) / 1_000_000 + 0.001)
            assert await document.result(60) == {"a": 1}
            before = len(seen)
            with pytest.raises(WorkflowRunFailedError, match="client error 404"):
                await (await start(patient.download, url + "/gone")).result(60)
            assert len(seen) == before + 1

    asyncio.run(main())

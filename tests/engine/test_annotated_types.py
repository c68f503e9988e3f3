"""Annotations with pydantic's own types, in this process and in those of steps."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from pydantic import HttpUrl

from tests.project import build, loaded
from workflow.api import start
from workflow.engine import Application
from workflow.errors import FatalError, WorkflowRunFailedError
from workflow.worlds import memory

TYPES = """
    from ipaddress import IPv4Address
    from typing import Annotated

    import pydantic
    from pydantic import AwareDatetime, EmailStr, HttpUrl, StringConstraints

    from workflow import step_options

    Name = Annotated[str, StringConstraints(min_length=2, strip_whitespace=True)]

    async def visit(url: HttpUrl) -> str:
        "use step"
        return f"{type(url).__name__} {url}"

    @step_options(run_in="process", max_retries=5, backoff=0)
    def count(names: list[Name], limit: Annotated[int, pydantic.Field(ge=1)] = 0) -> list[object]:
        "use step"
        return [*names, limit]

    async def mail(to: EmailStr) -> None:
        "use step"

    class Page(pydantic.BaseModel):
        url: HttpUrl
        host: IPv4Address

    async def landing(page: Page) -> HttpUrl:
        "use step"
        return page.url

    async def land(page: Page) -> HttpUrl:
        "use workflow"
        return await landing(Page(url=f"{page.url}y", host=page.host + 1))

    async def tour(url: HttpUrl, name: Name, at: AwareDatetime | None = None) -> list[object]:
        "use workflow"
        return [url.host, name, at.year if at else 0, await visit(url), await visit("http://b")]

    async def elsewhere(names: list[str], limit: object) -> list[object]:
        "use workflow"
        return await count(names, limit) + await count(names)

    async def letter(to: str) -> None:
        "use workflow"
        await mail(to)
"""


def test_types_of_pydantic_count(tmp_path: Path) -> None:
    """Its own types and its constraints on text, in the body of a workflow and in a step."""
    project = build(tmp_path, TYPES)

    async def main() -> None:
        async with Application(memory.create(), project):
            tour: Any = loaded(tmp_path).tour
            run = await start(tour, "http://a/x", " Ann ", "2026-01-01T00:00:00Z")
            assert await run.result(60) == [
                "a",
                "Ann",
                2026,
                "HttpUrl http://a/x",
                "HttpUrl http://b/",
            ]
            land = await start(loaded(tmp_path).land, {"url": "http://a/x", "host": "192.0.2.1"})
            assert await land.result(60) == HttpUrl("http://a/xy")
            with pytest.raises(TypeError, match=r"name: String should have at least 2 .* at: "):
                await start(tour, "http://a", " A ", "2026-01-01T00:00:00")
            with pytest.raises(TypeError, match="url: Input should be a valid URL"):
                await start("tour", url="here", name="Ann")  # the application has it by its name

    asyncio.run(main())


def test_steps_in_processes_are_held_to_their_annotations(tmp_path: Path) -> None:
    """The process that runs the step makes its arguments fit, and fails at once if they do not."""
    project = build(tmp_path, TYPES)

    async def main() -> None:
        async with Application(memory.create(), project):
            elsewhere: Any = loaded(tmp_path).elsewhere
            run = await start(elsewhere, [" Ann", "Bob "], "3")
            assert await run.result(60) == ["Ann", "Bob", 3, "Ann", "Bob", 0]
            run = await start(elsewhere, ["Ann", "B"], -1)
            with pytest.raises(WorkflowRunFailedError, match=r"names\[1\]: .*; limit: ") as caught:
                await run.result(60)
            assert type(caught.value.__cause__) is FatalError
            assert caught.value.__cause__.__cause__ is None

    asyncio.run(main())


def test_an_annotation_that_cannot_be_checked(tmp_path: Path) -> None:
    """A type whose package is missing is an error of that call that names it."""
    if find_spec("email_validator") is not None:
        pytest.skip("needs an environment without email-validator")
    project = build(tmp_path, TYPES)

    async def main() -> None:
        async with Application(memory.create(), project):
            run = await start(loaded(tmp_path).letter, "a@b.test")
            with pytest.raises(WorkflowRunFailedError, match=r"to is EmailStr, .* not installed"):
                await run.result(60)

    asyncio.run(main())

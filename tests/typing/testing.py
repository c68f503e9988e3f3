"""Tests of workflows, worlds in code, and the values of requests, as type checkers see them.
Checked by mypy and pyright strict, never run."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, assert_type

from workflow import (
    FormData,
    FormFile,
    Headers,
    Request,
    Response,
    StepMetadata,
    URLSearchParams,
    WorkflowMetadata,
    get_step_metadata,
    get_workflow_metadata,
    set_attributes,
)
from workflow.api import (
    HookRecord,
    PendingAction,
    get_world,
    resume_run,
    set_world,
    start,
)
from workflow.engine import Application, Project
from workflow.sync import Starter, with_options
from workflow.sync import resume_run as resume_run_and_wait
from workflow.testing import VirtualClock, WorldConformance, finish, settle
from workflow.world.port import Clock, World
from workflow.worlds import memory
from workflow.worlds.local import LocalWorld, create_local_world
from workflow.worlds.memory import MemoryWorld
from workflow.worlds.postgres import PostgresWorld, create_postgres_world


async def order(customer: str) -> dict[str, int]:
    """A workflow."""
    "use workflow"
    await set_attributes({"customer": customer, "gone": None})
    await set_attributes({"customer": 5})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
    metadata = get_workflow_metadata()
    assert_type(metadata, WorkflowMetadata)
    assert_type(metadata.workflow_run_id, str)
    assert_type(metadata.workflow_started_at, datetime)
    return {}


async def step() -> str:
    "use step"
    metadata = get_step_metadata()
    assert_type(metadata, StepMetadata)
    assert_type(metadata.step_started_at, datetime)
    return metadata.step_id


async def a_test(project: Project) -> None:
    """As README.md shows it."""
    clock = VirtualClock()
    world = memory.create(clock)
    assert_type(world, MemoryWorld)
    async with Application(world, project) as application:
        assert_type(application.world, World)
        run = await start(order, "ada")
        assert_type(await settle(run), tuple[HookRecord, ...])
        assert_type(await finish(run, clock), dict[str, int])
        await finish(run, 5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        await settle(order)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    clock.advance(1.5)
    clock.advance(timedelta(days=1))
    clock.advance("1 day")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def worlds() -> None:
    """A world that is chosen in code."""
    assert_type(create_local_world(data_dir="data"), LocalWorld)
    assert_type(create_postgres_world("postgres://localhost/shop", schema="shop"), PostgresWorld)
    set_world(create_local_world())
    set_world(None)
    set_world("local")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    world = get_world()
    assert_type(world, World)
    for hook in await world.list_hooks():
        assert_type(hook.token, str)


class TestMine(WorldConformance):
    """A world of one's own, held to the suite."""

    async def make_world(self, clock: Clock) -> World:
        return memory.create(clock)


async def answers(action: PendingAction) -> None:
    """Questions of runs."""
    assert_type(action.step, str)
    assert_type(action.options, tuple[str, ...] | None)
    assert_type(action.expires, datetime)
    assert_type(await resume_run("wrun_1", action.step, "yes"), None)
    await resume_run("wrun_1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    assert_type(with_options(delay="1h"), Starter)
    resume_run_and_wait("wrun_1", action.step, {"good": True})


async def requests(request: Request) -> Response:
    """What webhooks are given, and what they answer."""
    assert_type(request.method, str)
    assert_type(request.headers, Headers)
    assert_type(request.query_params, URLSearchParams)
    assert_type(await request.body(), bytes)
    assert_type(await request.json(), Any)
    form = await request.form()
    assert_type(form, FormData)
    assert_type(form["file"], str | FormFile)
    assert_type(form.get("file"), str | FormFile | None)
    assert_type(Headers({"a": "b"}).get_all("a"), list[str])
    Headers({"a": 1})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert_type(str(URLSearchParams("a=b")), str)
    Request(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Response("ok", "200")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    return Response.json({"a": 1}, status=201)

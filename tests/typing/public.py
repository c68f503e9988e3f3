"""The public API as type checkers see it. Checked by mypy and pyright strict, never run."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, assert_type

from fastapi import APIRouter, FastAPI
from pydantic import TypeAdapter
from starlette.applications import Starlette

from workflow import (
    Hook,
    Request,
    Webhook,
    Writable,
    create_hook,
    create_webhook,
    define_hook,
    get_step_metadata,
    get_workflow_metadata,
    get_writable,
    pending_action,
    step_options,
)
from workflow.api import (
    PendingAction,
    Run,
    get_run,
    get_runs,
    list_runs,
    start,
    with_options,
    with_workflow,
)
from workflow.world import Status
from workflow.worlds.local import create_local_world


@dataclass
class Approval:
    approved: bool


@step_options(max_retries=5, timeout="30s")
async def charge(customer: str, *, cents: int) -> int:
    """A step keeps its signature under the decorator."""
    "use step"
    return cents


AMOUNT: TypeAdapter[int | None] = TypeAdapter(int | None)


def plain(count: int) -> int:
    """No workflow: those are async."""
    return count


async def order(customer: str, cents: int = 5) -> dict[str, int]:
    """Inside a workflow."""
    "use workflow"
    assert_type(await charge(customer, cents=cents), int)
    await charge(customer, cents="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    hook = create_hook(Approval, token="t")
    assert_type(hook, Hook[Approval])
    assert_type(await hook, Approval)
    assert_type(create_hook(), Hook[Any])
    defined = define_hook(Approval)
    assert_type(await defined.create(token="t"), Approval)
    webhook = create_webhook(respond_with="manual")
    assert_type(webhook, Webhook)
    assert_type(await webhook, Request)
    assert_type(get_writable(int), Writable[int])
    assert_type(get_step_metadata().attempt, int)
    assert_type(await pending_action("a", options=["yes", "no"]), str)
    assert_type(await pending_action("b", type=Approval, message="?", timeout="1h"), Approval)
    assert_type(await pending_action("e", type=list[Approval]), list[Approval])
    assert_type(await pending_action("f", type=AMOUNT), int | None)
    assert_type(await pending_action("c", type="confirmation"), Any)
    await pending_action("d", options=[1])  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
    await pending_action("d", type=int, options=["1"])  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    return {"cents": cents}


async def parent(customer: str) -> int:
    """A workflow with a child."""
    "use workflow"
    run = await start(order, customer, cents=3)
    assert_type(run, Run[dict[str, int]])
    assert_type(await run, dict[str, int])
    assert_type(await run.return_value, dict[str, int])
    assert_type(await run.result("1h"), dict[str, int])
    assert_type(run.run_id, str)
    await run.cancel("not needed")
    bound = with_options(cancel_with_parent=True, deadline="1h")
    assert_type(await bound.start(order, "ada"), Run[dict[str, int]])
    assert_type(get_workflow_metadata().parent_run_id, str | None)
    assert_type(await asyncio.gather(run, run.return_value), tuple[dict[str, int], dict[str, int]])
    await start(order, 5)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    return len(await run)


async def outside() -> None:
    """In the application."""
    run = await start(order, "ada", cents=3)
    assert_type(run, Run[dict[str, int]])
    assert_type(await run.return_value, dict[str, int])
    assert_type(await run, dict[str, int])
    assert_type(await run.status, Status)
    assert_type(await run.completed_at, datetime | None)
    assert_type(await run.deadline, datetime | None)
    assert_type(await run.pending_actions, tuple[PendingAction, ...])
    assert_type(await run.pending_action, PendingAction | None)
    assert_type(await run.exists, bool)
    assert_type(await run.attributes, dict[str, str])
    assert_type(await run.wake_up("wait_1"), None)
    assert_type(await run.resume("approval", "yes"), None)
    assert_type(await run.resume(), bool)
    await run.resume("approval")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    assert_type([r async for r in list_runs(status="paused", parent=run)], list[Run[Any]])
    assert_type((await get_runs(status="paused", limit=5)).runs, tuple[Run[Any], ...])
    with_options(deadline=1.5, grace=timedelta(seconds=1), delay="1h")
    with_options(attributes={"a": 1})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
    with_options(deadline=[])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert_type(await with_options(idempotency_key="k").start(order, "a"), Run[dict[str, int]])
    await with_options(delay="1h").start(order, 5)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    await with_options(delay="1h").start(order)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    await start(charge)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    await start(plain, 1)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    await run.cancel(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await run.result([])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    run.get_readable(start_index="1")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    assert_type(get_run("wrun_1", order), Run[dict[str, int]])
    assert_type(await start("workflow//flows.py//order", customer="a"), Run[Any])
    await start(order, 5)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    await start(order, "a", pence=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


app = with_workflow(Starlette())
assert_type(app, Starlette)
api = with_workflow(FastAPI(), world=create_local_world(data_dir="data"), worker=False)
assert_type(api, FastAPI)
api.include_router(APIRouter())
with_workflow(5)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]

"""`workflow.sync` as type checkers see it. Checked by mypy and pyright strict, never run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, assert_type

import flask

from workflow import Readable, Request, Response, define_hook, sync
from workflow.api import HookRecord
from workflow.world import Status

amounts = define_hook(int)


async def order(customer: str, cents: int = 5) -> dict[str, int]:
    "use workflow"
    return {customer: cents}


async def story() -> Readable[str]:
    "use workflow"
    raise NotImplementedError


def script() -> None:
    """In a script or a WSGI application."""
    run = sync.start(order, "ada", cents=3)
    assert_type(run, sync.Run[dict[str, int]])
    assert_type(run.result("30s"), dict[str, int])
    assert_type(run.return_value, dict[str, int])
    assert_type(run.status, Status)
    assert_type(run.completed_at, datetime | None)
    assert_type(run.resume(), bool)
    assert_type(run.resume("approval", "yes"), None)
    run.resume("approval")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    run.cancel(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert_type(sync.get_run("wrun_1", order), sync.Run[dict[str, int]])
    assert_type(sync.get_run("wrun_1"), sync.Run[Any])
    assert_type(sync.start("workflow//flows.py//order"), sync.Run[Any])
    sync.start(order)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    sync.start(order, 5)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    bound = sync.with_options(delay="1h")
    assert_type(bound.start(order, "ada"), sync.Run[dict[str, int]])
    bound.start(order, "ada", 3, 4)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    sync.with_options(attributes={"a": 1})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
    assert_type(sync.resume_webhook("t", Request("POST")), Response)
    assert_type(sync.resume_hook("t", 1), HookRecord)
    assert_type(sync.resume_hook("t", 1, of=amounts), HookRecord)
    sync.resume_hook("t", "1", of=amounts)  # type: ignore[misc]  # pyright: ignore[reportArgumentType]
    assert_type(sync.resume_webhook("t", flask.request), Response)
    sync.resume_webhook("t", "POST")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert_type(run.read(int, namespace="n"), Iterator[int])
    told = sync.start(story).result()
    assert_type(told, Readable[str])
    assert_type(sync.read(told), Iterator[str])

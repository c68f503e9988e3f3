"""The blocking client, beside an application that runs in another thread."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask import request as flask_request
from pydantic import ValidationError

from tests.postgres import new_world, url
from tests.project import build, loaded
from workflow import HookDefinition, Readable, sync
from workflow.engine import Application
from workflow.errors import HookNotFoundError, WorkflowRunCancelledError, WorkflowRunFailedError
from workflow.worlds.local import create_local_world

SOURCE = """
from workflow import (
    FatalError, Response, create_hook, create_webhook, define_hook, get_writable, sleep,
)

async def double(n: int):
    "use step"
    out = get_writable()
    await out.write(n)
    await out.write(n * 2)
    if n < 0:
        raise FatalError("negative")
    return n * 2

async def main(n: int):
    "use workflow"
    return await double(n)

async def counting():
    yield 1
    yield 2

async def count():
    "use step"
    return counting()

async def counted():
    "use workflow"
    return await count()

async def ask():
    "use workflow"
    return await create_hook(token="ask")

numbers = define_hook(int)

async def asks_for_a_number():
    "use workflow"
    return await numbers.create(token="number")

async def answers():
    "use workflow"
    request = await create_webhook(token="flask", respond_with="manual")
    await request.respond_with(Response.json({"got": await request.json()}, 201))

async def doze():
    "use workflow"
    await sleep("1 day")
    return "awake"
"""


@contextmanager
def application(folder: Path) -> Iterator[None]:
    """An application whose event loop runs in a thread of its own."""
    project = build(folder, SOURCE)
    started, stop = threading.Event(), threading.Event()

    async def main() -> None:
        async with Application(create_local_world(folder / "data"), project):
            started.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    try:
        assert started.wait(60)
        yield
    finally:
        stop.set()
        thread.join()


def test_a_stream_in_a_result_is_read(tmp_path: Path) -> None:
    """A result that is a stream gives its values without an event loop."""
    with application(tmp_path):
        stream: Readable[int] = sync.start("counted").result(60)
        assert list(sync.read(stream)) == [1, 2]


def test_runs_from_start_to_result(tmp_path: Path) -> None:
    """Starting, waiting, reading the stream and listing work without an event loop."""
    with application(tmp_path):
        run = sync.with_options(attributes={"shop": "a"}).start("main", 21)
        assert run.result(60) == 42
        assert (run.status, run.workflow_name, run.exists) == ("completed", "main", True)
        assert run.created_at <= (run.started_at or run.created_at)
        assert run.completed_at is not None
        assert run.return_value == 42
        assert list(run.read()) == list(run.read(skip_failed=True)) == [21, 42]
        assert [r.run_id for r in sync.list_runs(attributes={"shop": "a"})] == [run.run_id]
        assert list(sync.list_runs(attributes={"shop": "b"})) == []
        page = sync.get_runs(attributes={"shop": "a"}, limit=1)
        assert ([r.status for r in page.runs], page.cursor) == (["completed"], None)
        assert sync.get_run(run.run_id).attributes == {"shop": "a"}
        assert {sync.get_run(run.run_id), run} == {run}
        with pytest.raises(WorkflowRunFailedError, match="negative"):
            sync.start("main", -1).result(60)


def test_hooks_wake_ups_and_cancelling(tmp_path: Path) -> None:
    """A hook is resumed, a sleep ended, and a run cancelled."""
    with application(tmp_path):
        asking = sync.start("ask")
        while True:
            try:
                assert sync.resume_hook("ask", {"yes": True}).run_id == asking.run_id
                break
            except HookNotFoundError:
                continue
        assert asking.result(60) == {"yes": True}
        dozing = sync.start("doze")
        while dozing.status == "pending":
            pass
        dozing.wake_up()
        assert dozing.result(60) == "awake"
        other = sync.start("doze")
        with pytest.raises(TimeoutError):
            other.result(0.01)
        other.cancel("enough")
        with pytest.raises(WorkflowRunCancelledError, match="enough"):
            other.result(60)


def test_payloads_are_held_against_a_definition(tmp_path: Path) -> None:
    """What does not fit never reaches the run; what fits arrives as the type."""
    with application(tmp_path):
        run = sync.start("asks_for_a_number")
        numbers: HookDefinition[Any] = loaded(tmp_path).numbers
        until_open("number")
        with pytest.raises(ValidationError, match="valid integer"):
            sync.resume_hook("number", "many", of=numbers)
        with pytest.raises(TypeError, match=r"of= is what define_hook\(\) has given, not 5"):
            sync.resume_hook("number", 1, of=5)  # type: ignore[call-overload]
        sync.resume_hook("number", "7", of=numbers)
        assert run.result(60) == 7


def test_a_route_of_flask_hands_its_request_on(tmp_path: Path) -> None:
    """`flask.request` goes to the run as it is, and the run's answer to the caller."""
    app = Flask("shop")

    @app.post("/answers/<token>")
    def answer(token: str) -> Any:
        given = sync.resume_webhook(token, flask_request)
        return given.content, given.status, dict(given.headers.items())

    with application(tmp_path):
        sync.start("answers")
        until_open("flask")
        got = app.test_client().post("/answers/flask", json=[1, 2])
        assert (got.status_code, got.json) == (201, {"got": [1, 2]})


def until_open(token: str) -> None:
    """Wait for a run to open its hook."""
    while True:
        try:
            sync.get_hook_by_token(token)
            return
        except HookNotFoundError:
            continue


def test_inside_an_event_loop_it_refuses() -> None:
    """Where it would block an event loop, it says what to use instead."""

    async def main() -> None:
        with pytest.raises(RuntimeError, match=r"workflow\.api"):
            sync.get_run("wrun_x")

    asyncio.run(main())


FORKS = """
import json, os, sys
from workflow import sync

run = sync.start("workflow//flows.py//order", n=1)
assert run.status == "pending"
read, write = os.pipe()
child = os.fork()
if child == 0:  # as a server that loads its application before it forks
    try:
        own = sync.start("workflow//flows.py//order", n=2)
        said = [own.run_id, sync.get_run(run.run_id).status]
        try:
            run.status
        except Exception as error:
            said.append(f"{type(error).__name__}: {error}")
        os.write(write, json.dumps(said).encode())
    finally:
        os._exit(0)
os.close(write)
os.waitpid(child, 0)
own, status, old = json.loads(os.read(read, 10_000))
print(json.dumps([run.status, sync.get_run(own).status, status, old]))
"""


@pytest.mark.parametrize("target", ["local", "postgres"])
def test_a_forked_child_opens_a_world_of_its_own(tmp_path: Path, target: str) -> None:
    """What the environment names is opened anew in a child; handles of the parent say so."""
    environ = {**os.environ, "WORKFLOW_TARGET_WORLD": target}
    if target == "postgres":
        prefix = new_world().database.schema.removeprefix("workflow_")
        environ |= {"WORKFLOW_POSTGRES_URL": url(), "WORKFLOW_POSTGRES_JOB_PREFIX": prefix}
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKS],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    run, own, seen, old = json.loads(done.stdout)
    assert (run, own, seen) == ("pending", "pending", "pending")
    assert old.startswith("WorldError: ")
    assert "before this process was forked" in old

"""Asynchronous iterables given to start(). On every world."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.streaming import WORLDS, MakeWorld, maker, numbers, serve
from tests.project import until
from workflow import Readable, StreamError, api
from workflow.api import Run, start, with_options
from workflow.codec import Codec
from workflow.engine import Application, uploads
from workflow.engine.pumps import Pump
from workflow.errors import SerializationError, WorkflowRunFailedError, WorldError
from workflow.world.records import NewRun


@pytest.fixture(params=WORLDS)
def make_world(request: pytest.FixtureRequest, tmp_path: Path) -> MakeWorld:
    return maker(request.param, tmp_path)


def test_uploads(make_world: MakeWorld, tmp_path: Path) -> None:
    """An asynchronous iterator given to start() is written as a stream of the run, which is at
    work meanwhile; nothing of it is in the log."""

    async def play(app: Application, flows: Any) -> None:
        reading = asyncio.Event()

        async def slow() -> AsyncIterator[int]:
            yield 1
            await reading.wait()
            yield 2

        async def watch() -> None:
            async def look() -> bool:
                return bool(flows.tries)

            await until(app.world, look, what="the reading step")
            reading.set()

        watching = asyncio.create_task(watch())
        run = await start(flows.upload, slow())
        await watching
        assert await run.result(60) == 3
        run = await start(flows.upload, Readable.of(numbers(5)))
        assert await run.result(60) == 10
        assert [each.worker for each in await app.world.list_workers()] == [app._worker.id]  # type: ignore[union-attr]

    serve(make_world, tmp_path, play)


def test_an_upload_that_breaks_off(make_world: MakeWorld, tmp_path: Path) -> None:
    """start() raises with the id of the run, and the run reads the error."""

    async def play(app: Application, flows: Any) -> None:
        async def gone() -> AsyncIterator[int]:
            yield 1
            raise ConnectionResetError("the client is gone")

        run_id = "wrun_upload"
        with pytest.raises(StreamError, match=run_id) as caught:
            await with_options(run_id=run_id).start(flows.upload, gone())
        assert isinstance(caught.value.__cause__, ConnectionResetError)
        run: Run[Any] = Run(app.world, app.codec, run_id)
        with pytest.raises(WorkflowRunFailedError, match="the client is gone"):
            await run.result(60)

        started = asyncio.Event()

        async def endless() -> AsyncIterator[int]:
            yield 1
            started.set()
            await asyncio.Event().wait()

        starting = asyncio.create_task(
            with_options(run_id="wrun_cancelled").start(flows.upload, endless())
        )
        await started.wait()
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        run = Run(app.world, app.codec, "wrun_cancelled")
        with pytest.raises(WorkflowRunFailedError, match="its writer was stopped"):
            await run.result(60)

    serve(make_world, tmp_path, play)


def test_uploads_of_a_second_start(make_world: MakeWorld, tmp_path: Path) -> None:
    """A start with a key that is in use returns the first run, and reads nothing."""

    async def play(app: Application, flows: Any) -> None:
        options = with_options(idempotency_key="k")
        first = await options.start(flows.upload, numbers(5))
        second = numbers(5)
        assert (await options.start(flows.upload, second)).run_id == first.run_id
        assert [n async for n in second] == [0, 1, 2, 3, 4]
        assert await first.result(60) == 10

    serve(make_world, tmp_path, play)


def test_an_upload_is_the_result(make_world: MakeWorld, tmp_path: Path) -> None:
    """A run may complete before the first item comes: what it returns is written to its end."""

    async def play(app: Application, flows: Any) -> None:
        ended = asyncio.Event()

        async def late() -> AsyncIterator[int]:
            await ended.wait()
            yield 1
            yield 2

        run_id = "wrun_passed"
        starting = asyncio.create_task(with_options(run_id=run_id).start(flows.passes, late()))
        run: Run[Any] = Run(app.world, app.codec, run_id)

        async def there() -> bool:
            return await run.exists

        await until(app.world, there, what="the run")
        found = await run.result(60)
        ended.set()
        assert [n async for n in found] == [1, 2]
        await starting

    serve(make_world, tmp_path, play)


def test_a_run_begins_when_its_uploads_are_there(
    make_world: MakeWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it takes until the streams are made, a run that returns one of them at once
    does not end before that: it would take none any more."""

    class Slow(Pump):
        async def open(self) -> None:
            for _ in range(300):  # time for a worker to see the run and be through with it
                await self.world.get_run(self.run_id)
            await super().open()

    monkeypatch.setattr(uploads, "Pump", Slow)

    async def play(app: Application, flows: Any) -> None:
        for delay in (None, 0):
            run = await with_options(delay=delay).start(flows.passes, numbers(3))
            assert [n async for n in await run.result(60)] == [0, 1, 2]

    serve(make_world, tmp_path, play)


def test_an_uploader_that_dies_before_its_streams_are_there(
    make_world: MakeWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run begins all the same, somewhat later, and what reads the upload says what happened."""

    class Dead(uploads.Uploads):
        async def write(self, codec: Codec) -> None:
            await self.leave()

    monkeypatch.setattr(api, "Uploads", Dead)
    monkeypatch.setattr(uploads, "LEASE", 0.1)

    async def play(app: Application, flows: Any) -> None:
        run = await start(flows.upload, numbers(3))
        with pytest.raises(WorkflowRunFailedError, match="is gone; it had written 0 values"):
            await run.result(60)

    serve(make_world, tmp_path, play)


def test_a_start_that_fails_takes_nothing(
    make_world: MakeWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was to be uploaded can be given to another start, and no lease is left behind."""

    async def play(app: Application, flows: Any) -> None:
        given = Readable.of(numbers(5))
        with pytest.raises(SerializationError, match="extra"):
            await start(flows.both_uploads, given, object())
        with monkeypatch.context() as patch:

            async def away(run: NewRun) -> None:
                raise WorldError("the database is away")

            patch.setattr(app.world, "create", away)
            with pytest.raises(WorldError, match="is away"):
                await start(flows.upload, given)
        first = await with_options(run_id="wrun_1", idempotency_key="k").start(flows.drops, 0)
        again = with_options(idempotency_key="k")
        assert (await again.start(flows.drops, given)).run_id == first.run_id
        with pytest.raises(ValueError, match="already"):
            await with_options(run_id="wrun_1").start(flows.upload, given)
        assert [each.worker for each in await app.world.list_workers()] == [app._worker.id]  # type: ignore[union-attr]
        assert given.waiting() is not None
        run = await start(flows.upload, given)
        assert given.waiting() is None
        assert await run.result(60) == 10
        assert [n async for n in given] == [0, 1, 2, 3, 4]

    serve(make_world, tmp_path, play)


def test_an_upload_that_nobody_wants(
    make_world: MakeWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the run has ended, the rest is left unread and start() returns."""
    monkeypatch.setattr(uploads, "LEASE", 1.5)

    async def play(app: Application, flows: Any) -> None:
        closed = asyncio.Event()

        async def endless() -> AsyncIterator[int]:
            try:
                yield 1
                await asyncio.Event().wait()
            finally:
                closed.set()

        async with asyncio.timeout(60):
            run = await start(flows.ignores, endless())
        assert closed.is_set()
        assert await run.result(60) == "not interested"

    serve(make_world, tmp_path, play)

"""What PostgreSQL is asked together, and what it forgets."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from tests import postgres
from workflow.errors import WorkflowRunNotFoundError
from workflow.testing.clock import VirtualClock
from workflow.world.records import ChunkWrite, Letter, NewRun
from workflow.worlds.postgres import PostgresWorld
from workflow.worlds.postgres.sessions import Session


def new_run(run_id: str) -> NewRun:
    return NewRun(run_id=run_id, workflow="flow", input=b"", meta=b"{}")


def keys(world: PostgresWorld) -> list[str]:
    """All letter keys, sorted."""
    with world.database.connect() as connection:
        table = f"{world.database.quoted}.workflow_letter_keys"
        rows = connection.execute(f"select dedupe from {table}".encode()).fetchall()
    return sorted(key for (key,) in rows)


def test_names_of_calls_are_forgotten() -> None:
    """A run that gets mail for years keeps the callers' keys, and its own notes of ten minutes."""

    async def main() -> None:
        clock = VirtualClock()
        world = postgres.new_world(clock)
        await world.open()
        try:
            for run_id in ("busy", "other"):
                await world.create(new_run(run_id))
            key = "call 0000000000000001 of a caller"
            for run_id in ("busy", "other"):
                await world.post(run_id, Letter(kind="hook_received", dedupe=key))
                await world.post(run_id, Letter(kind="hook_received"))
            clock.advance(599)
            await world.post("busy", Letter(kind="hook_received"))
            assert len(keys(world)) == 2 + 3
            clock.advance(2)
            await world.post("busy", Letter(kind="hook_received"))
            assert len(keys(world)) == 2 + 3, "one came, the oldest of this run went"
            clock.advance(3600)
            await world.post("busy", Letter(kind="hook_received"))
            assert len(keys(world)) == 2 + 2
            assert keys(world).count(key) == 2
            again = await world.post("busy", Letter(kind="hook_received", dedupe=key))
            assert again.outcome == "duplicate"
            assert len(await world.list_letters("busy")) == 5
        finally:
            await world.close()

    asyncio.run(main())


def test_readers_share_a_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers that wake together read together, each gets its own page, and one finds no run."""
    asked: list[str] = []
    lock, ask = threading.Lock(), Session.ask

    def counted(self: Session, query: str, **values: Any) -> Any:
        with lock:
            asked.append(query)
        return ask(self, query, **values)

    async def main() -> None:
        world = postgres.new_world(VirtualClock())
        await world.open()
        try:
            for run_id in ("a", "b"):
                await world.create(new_run(run_id))
            for claimed in (await world.claim_runs("ann", 9)).runs:
                chunks = tuple(f"{claimed.run_id}{n}".encode() for n in range(5))
                await world.write_chunks(
                    ChunkWrite(
                        run_id=claimed.run_id, stream="s", step_id="", attempt=0, worker="ann",
                        fence=claimed.fence, chunks=chunks, close=claimed.run_id == "b",
                    )
                )  # fmt: skip
            monkeypatch.setattr(Session, "ask", counted)
            pages = await asyncio.gather(
                *(world.read_chunks("a", "s", n % 5, 2) for n in range(28)),
                world.read_chunks("b", "s", 3, 9),
                world.read_chunks("b", "never written", 0, 9),
                world.read_chunks("a", "s", 5, 0),
                world.read_chunks("nobody", "s", 0, 9),
                return_exceptions=True,
            )
            assert asked.count("load_chunks") == asked.count("load_streams") == 2
            assert len(asked) == 4
            *most, closed, empty, at_end, missing = pages
            for n, page in enumerate(most):
                assert not isinstance(page, BaseException)
                expected = [f"a{i}".encode() for i in range(n % 5, min(5, n % 5 + 2))]
                assert [chunk.data for chunk in page.chunks] == expected
                assert (page.next, page.closed) == (5, False)
            assert not isinstance(closed, BaseException)
            assert [chunk.index for chunk in closed.chunks] == [3, 4]
            assert (closed.next, closed.closed, closed.cut) == (5, True, False)
            assert not isinstance(empty, BaseException)
            assert (empty.chunks, empty.next, empty.closed) == ((), 0, False)
            assert not isinstance(at_end, BaseException)
            assert (at_end.chunks, at_end.next) == ((), 5)
            assert isinstance(missing, WorkflowRunNotFoundError)
        finally:
            await world.close()

    asyncio.run(main())

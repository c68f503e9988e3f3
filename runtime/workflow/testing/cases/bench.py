"""What a case of the conformance suite works with: a fresh world, a clock moved by hand, verbs."""

from __future__ import annotations

import asyncio
import functools
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from workflow.testing.clock import VirtualClock
from workflow.world.port import Clock, World
from workflow.world.records import (
    Append,
    Event,
    Letter,
    Micros,
    NewEvent,
    NewRun,
    NewTask,
    RunRecord,
    Task,
    WorkerRecord,
)

__all__ = ["SECOND", "Bench", "Cases", "called", "raises", "result", "scenario", "task"]

SECOND = 1_000_000

_C = TypeVar("_C", bound="Cases")


class Cases(ABC):
    """Base of the parts of the suite."""

    @abstractmethod
    async def make_world(self, clock: Clock) -> World:
        """A new, empty world on this clock. The suite opens and closes it."""


class Bench:
    """A world and its clock, with short forms for what most cases do."""

    def __init__(self, world: World, clock: VirtualClock) -> None:
        self.world = world
        self.clock = clock

    async def start(self, run_id: str = "run", **more: Any) -> None:
        """Create a run of workflow `flow`."""
        fields: dict[str, Any] = {"workflow": "flow", "input": b"in", "meta": b"{}", **more}
        created = await self.world.create(NewRun(run_id=run_id, **fields))
        assert created.created

    async def beat(self, worker: str, seconds: float = 10) -> int:
        """Renew a worker's lease for `seconds` from now."""
        until = self.clock.now() + round(seconds * SECOND)
        return await self.world.beat(WorkerRecord(worker=worker, lease_until=until))

    async def claim(self, worker: str = "ann", limit: int = 100) -> list[str]:
        """Claim due runs; their ids in the order they were handed out."""
        return [run.run_id for run in (await self.world.claim_runs(worker, limit)).runs]

    async def claim_soon(self, worker: str = "ann") -> list[str]:
        """Claim due runs as soon as this world has heard what another one has committed."""
        async with asyncio.timeout(60):
            seen = 0
            while not (claimed := await self.claim(worker)):
                seen = await self.world.wait_for_change(seen, None)
        return claimed

    async def own(self, run_id: str = "run", worker: str = "ann", **more: Any) -> RunRecord:
        """Create a run and make `worker` its owner."""
        await self.start(run_id, **more)
        assert run_id in await self.claim(worker)
        return await self.run(run_id)

    async def run(self, run_id: str = "run") -> RunRecord:
        """A run that is there."""
        run = await self.world.get_run(run_id)
        assert run is not None
        return run

    def append(self, run: RunRecord, **more: Any) -> Append:
        """The append of a run's owner, as of this record."""
        fields = {"at": self.clock.now(), "seen": run.mail, "next_timer": run.next_timer, **more}
        return Append(
            run_id=run.run_id,
            worker=fields.pop("worker", run.owner or "nobody"),
            fence=fields.pop("fence", run.fence),
            expected=fields.pop("expected", run.head),
            **fields,
        )

    async def turn(self, run: RunRecord, **more: Any) -> RunRecord:
        """An append that is accepted; the run after it."""
        assert (await self.world.append(self.append(run, **more))).ok
        return await self.run(run.run_id)

    async def end(self, run: RunRecord, **more: Any) -> RunRecord:
        """End a run, completed unless told otherwise."""
        ended = NewEvent(type="run_completed", at=self.clock.now(), payload=b"out")
        fields = {"end": "completed", "output": b"out", "events": (ended,), **more}
        return await self.turn(run, **fields)

    async def with_tasks(self, *tasks: NewTask, run_id: str = "run") -> RunRecord:
        """A released run that has handed out these tasks."""
        return await self.turn(await self.own(run_id), add_tasks=tasks, release=True)

    async def claim_task(self, worker: str = "ann", *names: str) -> Task | None:
        """Claim at most one task."""
        claimed = await self.world.claim_tasks(worker, 1, names or ("step",))
        return claimed[0] if claimed else None

    async def everything(self, run_id: str = "run") -> tuple[object, ...]:
        """All that can be read about a run, to see that nothing has changed."""
        world = self.world
        return (
            await world.get_run(run_id),
            await world.list_events(run_id),
            await world.list_letters(run_id),
            await world.list_tasks(run_id),
            await world.list_hooks(run_id),
        )

    async def quiet(self, seen: int = 0) -> int:
        """The number of changes when none is left to be seen, late ones included."""
        for _ in range(50):
            waiting = asyncio.create_task(self.world.wait_for_change(seen, None))
            done, _ = await asyncio.wait([waiting], timeout=0.1)
            if not done:
                waiting.cancel()
                await asyncio.wait([waiting])
                return seen
            seen = waiting.result()
        raise AssertionError("the number of changes goes on growing although nothing happens")

    async def log(self, run_id: str = "run") -> list[Event]:
        """A run's events after `run_created`."""
        return list(await self.world.list_events(run_id, after=1))


def called(ref: str, at: Micros = 0) -> NewEvent:
    """A decision to call a step."""
    return NewEvent(type="step_called", at=at, ref=ref, name="step", payload=b"{}")


def task(step_id: str, **more: Any) -> NewTask:
    """A task of the step named `step`."""
    return NewTask(**{"step_id": step_id, "name": "step", "payload": b"{}", **more})


def result(step_id: str, payload: bytes = b"done") -> Letter:
    """The letter with a step's result."""
    return Letter(kind="step_completed", ref=step_id, payload=payload)


@contextmanager
def raises(kind: type[BaseException]) -> Iterator[None]:
    """The block raises `kind`. (The suite imports no test framework.)"""
    try:
        yield
    except kind:
        return
    raise AssertionError(f"{kind.__name__} was not raised")


def scenario(case: Callable[[_C, Bench], Awaitable[None]]) -> Callable[[_C], None]:
    """Make a plain test method of a coroutine that is given a bench."""

    @functools.wraps(case)
    def test(self: _C) -> None:
        async def main() -> None:
            clock = VirtualClock()
            world = await self.make_world(clock)
            await world.open()
            try:
                await case(self, Bench(world, clock))
            finally:
                await world.close()

        asyncio.run(main())

    del test.__wrapped__  # its parameters would look like fixtures
    return test

"""The rules of the durable core hold in random histories, and each of them is needed.

`WORKFLOW_MODEL_HISTORIES` sets how many histories the rules are tried in (default 600); mutations
that are found out easily, and SQLite, get a part of that.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from pathlib import Path

from msgspec.structs import replace

from tests.engine.model import History
from workflow.testing.clock import VirtualClock
from workflow.world.port import World
from workflow.world.records import Append, Appended, Finish, Micros
from workflow.worlds.local import create_local_world
from workflow.worlds.memory import MemoryWorld
from workflow.worlds.memory.state import Row, State

HISTORIES = int(os.environ.get("WORKFLOW_MODEL_HISTORIES", "600"))


def broken_promises(
    kind: type[MemoryWorld], histories: int = HISTORIES, *, redispatch: bool = True
) -> Counter[str]:
    """Play many histories in memory; how often each promise was broken."""

    async def play(seed: int) -> list[str]:
        clock = VirtualClock()
        return await History(kind(clock), clock, seed, redispatch=redispatch).play()

    return Counter(broken for seed in range(histories) for broken in asyncio.run(play(seed)))


class NoFence(MemoryWorld):
    """Mutation: the head alone decides whether an append fits."""

    def _fits(self, row: Row, append: Append) -> bool:
        return row.run.head == append.expected


class NoFenceNoHead(MemoryWorld):
    """Mutation: every append fits."""

    def _fits(self, row: Row, append: Append) -> bool:
        return True


class NoDelete(MemoryWorld):
    """Mutation: a finish posts its letter and leaves the task to others."""

    def _finish(self, state: State, finish: Finish) -> bool:
        task = state.tasks.get((finish.run_id, finish.step_id))
        done = super()._finish(state, finish)
        if done and task is not None:
            state.tasks[finish.run_id, finish.step_id] = replace(task, owner=None)
        return done


class FlagState(State):
    """State with a flag that says whether the run is due."""

    awake = True

    def nudge(self, row: Row, now: Micros) -> None:
        super().nudge(row, now)
        self.awake = True


class WakeFlag(MemoryWorld):
    """Mutation: posting sets a flag and the owner clears it, instead of comparing counters."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self._state = FlagState()

    def _due_since(self, row: Row, now: Micros) -> Micros | None:
        return now if getattr(self._state, "awake") and row.run.owner is None else None  # noqa: B009

    async def append(self, append: Append) -> Appended:
        answer = await super().append(append)
        if answer.ok and append.release:
            self._state.awake = False  # type: ignore[attr-defined]
        return answer


def test_the_rules_hold_in_memory() -> None:
    """No history breaks a promise, and no attempt's body runs twice."""
    assert broken_promises(MemoryWorld) == {}


def test_the_rules_hold_in_sqlite(tmp_path: Path) -> None:
    """The local world keeps the same promises."""

    async def play(count: int) -> Counter[str]:
        clock = VirtualClock()
        world: World = create_local_world(tmp_path, clock)
        await world.open()
        try:
            broken: Counter[str] = Counter()
            for seed in range(count):
                broken.update(await History(world, clock, seed).play())
            return broken
        finally:
            await world.close()

    assert asyncio.run(play(max(HISTORIES // 40, 1))) == {}


def test_without_the_fence() -> None:
    """A zombie whose head still fits records a fact a second time."""
    assert broken_promises(NoFence)["fact recorded twice"] > 0


def test_without_fence_and_head() -> None:
    """Two owners write over each other, and the log cannot be replayed."""
    broken = broken_promises(NoFenceNoHead, HISTORIES // 4)
    assert broken["replay differs"] > 0
    assert broken["fact recorded twice"] > 0


def test_without_redispatch() -> None:
    """A dead owner's inline steps that nobody hands out again leave the run stuck."""
    assert broken_promises(MemoryWorld, HISTORIES // 12, redispatch=False)["stuck"] > 0


def test_with_a_wake_flag() -> None:
    """A letter that comes while the owner appends is forgotten, and the run is stuck."""
    assert broken_promises(WakeFlag, HISTORIES // 2)["stuck"] > 0


def test_finish_without_delete() -> None:
    """A task that stays behind its result is run again and recorded twice."""
    assert broken_promises(NoDelete, HISTORIES // 12)["fact recorded twice"] > 0

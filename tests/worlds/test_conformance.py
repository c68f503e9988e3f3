"""The conformance suite over the worlds that come with the runtime."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.postgres import empty, new_world
from workflow.testing.cases.bench import Bench, scenario
from workflow.testing.conformance import WorldConformance
from workflow.world.port import Clock, World
from workflow.world.records import Letter, NewEvent
from workflow.worlds import local, memory
from workflow.worlds.postgres import PostgresWorld


class Ours(WorldConformance):
    """What these worlds do beyond the port."""

    @scenario
    async def test_own_turns_wake_no_worker(self, b: Bench) -> None:
        """Who waits for work hears nothing of turns that only make a log longer; others do."""
        run = await b.own()
        seen = await b.quiet(0)
        waiting = asyncio.create_task(b.world.wait_for_change(seen, None, work=True))
        for n in range(3):
            log = (NewEvent(type="wait_created", at=b.clock.now(), ref=f"w{n}"),)
            run = await b.turn(run, events=log)
            seen = await asyncio.wait_for(b.world.wait_for_change(seen, None), 60)
        seen = await b.quiet(seen)
        assert not waiting.done()
        await b.world.post("run", Letter(kind="wake"))
        assert await asyncio.wait_for(waiting, 60) > seen


class TestMemory(Ours):
    """The memory world."""

    async def make_world(self, clock: Clock) -> World:
        return memory.create(clock)


class TestLocal(Ours):
    """The local world, in a folder of its own for each test."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "data"

    async def make_world(self, clock: Clock) -> World:
        return local.create_local_world(self.folder, clock)

    async def make_twin(self, world: World, clock: Clock) -> World:
        return local.create_local_world(self.folder, clock)


class TestPostgres(Ours):
    """The PostgreSQL world, in an empty schema for each test."""

    made = 0  # worlds, by one test

    async def make_world(self, clock: Clock) -> World:
        self.made += 1
        world = new_world(clock, schema=f"workflow_conformance_{os.getpid()}_{self.made}")
        with world.database.connect() as connection:
            empty(connection, world.database.schema)
        return world

    async def make_twin(self, world: World, clock: Clock) -> World:
        assert isinstance(world, PostgresWorld)
        return new_world(clock, schema=world.database.schema)

"""The conformance suite over the worlds that come with the runtime."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.postgres import empty, new_world
from workflow.testing.conformance import WorldConformance
from workflow.world.port import Clock, World
from workflow.worlds import local, memory
from workflow.worlds.postgres import PostgresWorld


class TestMemory(WorldConformance):
    """The memory world."""

    async def make_world(self, clock: Clock) -> World:
        return memory.create(clock)


class TestLocal(WorldConformance):
    """The local world, in a folder of its own for each test."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "data"

    async def make_world(self, clock: Clock) -> World:
        return local.create_local_world(self.folder, clock)

    async def make_twin(self, world: World, clock: Clock) -> World:
        return local.create_local_world(self.folder, clock)


class TestPostgres(WorldConformance):
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

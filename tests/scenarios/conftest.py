"""One server for each world, started when a scenario first needs it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.stage import Service, built

WORLDS = ("local", "postgres")


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scenarios, built."""
    return built(tmp_path_factory.mktemp("scenarios"))


@pytest.fixture(scope="session", params=WORLDS)
def service(
    request: pytest.FixtureRequest, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A real server on the local world, and one on PostgreSQL."""
    folder = tmp_path_factory.mktemp(f"scenarios-{request.param}")
    found = Service(project, request.param, folder / "data")
    yield found
    found.stop()

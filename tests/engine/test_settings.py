"""Settings that mean nothing stop the start, with a text that names them."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.project import build
from workflow.api import start
from workflow.engine import Application, Project, settings
from workflow.worlds.memory import MemoryWorld

WRONG = [
    ("WORKFLOW_LEASE", "soon"),
    ("WORKFLOW_LEASE", "nan"),
    ("WORKFLOW_MAX_CLAIMS", "2"),
    ("WORKFLOW_MAX_EVENTS", "ten"),
    ("WORKFLOW_MAX_ROUNDS", "1e3"),
    ("WORKFLOW_PARK_MISSING_AFTER", "inf"),
    ("WORKFLOW_REPLAY_CHECK", "always"),
    ("WORKFLOW_PROCESSES", "-1"),
    ("WORKFLOW_WORKER_CONCURRENCY", "0"),
    ("WORKFLOW_MEMORY_WORKER_CONCURRENCY", "2.5"),
    ("WORKFLOW_WEBHOOK_TIMEOUT", "1 minute"),
    ("WORKFLOW_WEBHOOK_TIMEOUT", "-1"),
    ("WORKFLOW_WEBHOOK_TIMEOUT", "nan"),
    ("WORKFLOW_PENDING_ACTION_TIMEOUT", "a while"),
    ("WORKFLOW_PENDING_ACTION_TIMEOUT", "0s"),
    ("WORKFLOW_FETCH_MAX_BYTES", "4MB"),
    ("WORKFLOW_FETCH_PRIVATE", "no"),
    ("WORKFLOW_BASE_URL", "example.com"),
    ("WORKFLOW_EMBEDDED_BASE_URL", "https://example.com?a=1"),
    ("PORT", "http"),
    ("PORT", "65536"),
    ("WORKFLOW_FAILPOINT", "nowhere"),
    ("WORKFLOW_FAILPOINT", "after_commit:0"),
    ("WORKFLOW_FAILPOINT", "after_commit:soon"),
]


SOURCE = """
    async def flow() -> int:
        "use workflow"
        return 1
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return build(tmp_path_factory.mktemp("project"), SOURCE)


@pytest.mark.parametrize(("name", "value"), WRONG)
@pytest.mark.parametrize("worker", [True, False], ids=["worker", "no worker"])
def test_wrong_settings(
    name: str, value: str, worker: bool, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An application with a wrong setting does not start, and leaves no open world behind."""
    monkeypatch.setenv(name, value)

    async def main() -> None:
        world = MemoryWorld()
        with pytest.raises(ValueError, match=name):
            await Application(world, project, worker=worker).start()
        assert world._closed

    asyncio.run(main())


@pytest.mark.parametrize("name", sorted({name for name, _ in WRONG}))
def test_empty_settings(name: str, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty value is no value: the default counts."""
    monkeypatch.setenv(name, "")

    async def main() -> None:
        async with Application(MemoryWorld(), project, worker=False):
            pass

    asyncio.run(main())


def test_the_base_url_of_a_run_that_a_script_starts(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read like that of a server: without the slash at its end."""
    monkeypatch.setenv("WORKFLOW_BASE_URL", "https://example.com/shop/")

    async def main() -> bytes:
        async with Application(MemoryWorld(), project, worker=False) as application:
            run = await start("flow")
            (event,) = await application.world.list_events(run.run_id)
            return event.meta or b""

    assert json.loads(asyncio.run(main()))["base_url"] == "https://example.com/shop"


def test_a_misspelt_setting_is_told_once(
    project: Project, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The log of the first start in a process names it and what was meant."""
    monkeypatch.setattr(settings, "_told", set())
    monkeypatch.setenv("WORKFLOW_LAESE", "30")

    async def main() -> None:
        for _ in range(2):
            async with Application(MemoryWorld(), project, worker=False):
                pass

    asyncio.run(main())
    told = [r.getMessage() for r in caplog.records if "LAESE" in r.getMessage()]
    assert told == [
        "the environment variable WORKFLOW_LAESE means nothing here; did you mean WORKFLOW_LEASE?"
    ]

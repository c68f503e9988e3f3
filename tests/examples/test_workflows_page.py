"""docs/workflows-and-steps.md does what it says: its files, built and run."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.examples.building import Scene, scene, served
from tests.examples.pages import DOCS, built
from tests.project import Events, until
from workflow import Request
from workflow.api import Run, get_run, get_world, list_runs, resume_webhook, start
from workflow.engine import Project
from workflow.errors import ContextError
from workflow.testing import finish

# The service that `calls.py` asks: each question has a list of answers, the last one stays.
SERVICE = """
answers = {}


async def ask(what):
    left = answers[what]
    return left.pop(0) if len(left) > 1 else left[0]
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    page, folder = DOCS / "workflows-and-steps.md", tmp_path_factory.mktemp("basics")
    with built(page, folder, {"service.py": SERVICE}) as project:
        yield project


def play(project: Project, part: Callable[[Scene], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with scene(project) as stage:
            return await part(stage)

    return asyncio.run(main())


def result_of(project: Project, name: str, *args: Any) -> Any:
    """Run a workflow of the page to its end; time is skipped."""
    module, function = name.split(".")

    async def part(stage: Scene) -> Any:
        run: Run[Any] = await start(getattr(import_module(module), function), *args)
        return await finish(run, stage.clock)

    return play(project, part)


async def token_of(run: Run[Any]) -> str:
    """The token of the webhook that a run has opened."""

    async def look() -> str | None:
        hooks = await get_world().list_hooks(run.run_id)
        return hooks[0].token if hooks else None

    return str(await until(get_world(), look, what="a webhook"))


def test_workflows_put_steps_together(project: Project) -> None:
    """A step runs in a run, and outside of one it is a function."""
    Path("greeted").unlink(missing_ok=True)
    assert result_of(project, "greetings.greeting", "Ada") == {"message": "Hello Ada"}
    assert result_of(project, "members.join", "bob@example.com") == "Hello bob@example.com"
    assert Path("greeted").read_text() == "Ada\nbob@example.com\n"
    import_module("members").import_members(["cleo@example.com"])
    assert asyncio.run(import_module("greetings").greet("Dan")) == "Hello Dan"


def test_a_month_and_then_a_person(project: Project) -> None:
    """The webhook is there after the month, not before."""

    async def part(stage: Scene) -> Any:
        run = await start(import_module("documents").yearly_review, "eve")

        async def asleep() -> bool:
            return "wait_created" in (await Events.of(stage.world, run.run_id)).types()

        await until(stage.world, asleep, what="the sleep")
        stage.clock.advance(27 * 86_400)
        assert not await stage.world.list_hooks(run.run_id)
        stage.clock.advance(5 * 86_400)
        assert (await resume_webhook(await token_of(run), Request("GET"))).status == 202
        return await run.result(60)

    assert play(project, part) == "reviewed by eve"


def test_five_ways_to_sleep(project: Project) -> None:
    """The sleeps take what they say: 1.5 hours, 10 s, a day, 10 s, nothing."""
    assert result_of(project, "naps.naps") == 5400 + 10 + 86_400 + 10


def test_one_after_the_other_and_at_the_same_time(project: Project) -> None:
    """Steps in a row are asked for one by one, parallel ones together."""
    assert result_of(project, "pipeline.one_after_the_other", " ab ") == 2

    async def part(stage: Scene) -> list[str]:
        run = await start(import_module("pipeline").at_the_same_time, " ab ")
        assert await run.result(60) == {"short": "ab", "loud": " AB ", "size": 4}
        types = (await Events.of(stage.world, run.run_id)).types()
        return [type for type in types if type.startswith("step_")]

    assert play(project, part)[:3] == ["step_created"] * 3


@pytest.mark.parametrize("name", ["pipeline.whichever_is_first", "pipeline.shorter"])
def test_a_report_or_a_day(project: Project, name: str) -> None:
    """What is first decides: a request, or the time."""
    assert result_of(project, name) == "nothing heard"

    async def part(stage: Scene) -> Any:
        module, function = name.split(".")
        run = await start(getattr(import_module(module), function))
        await resume_webhook(await token_of(run), Request("POST", body="all well"))
        return await run.result(60)

    assert play(project, part) == "all well"


@pytest.mark.parametrize(
    ("answers", "result", "seconds"),
    [
        ([(404, "")], "nothing: there is no such thing; asking again would not help", 0),
        ([(429, ""), (200, "tea")], "tea", 60),
        ([(503, ""), (200, "tea")], "tea", 600),
        ([(500, ""), (500, ""), (500, ""), (200, "tea")], "tea", 1 + 4 + 9),
    ],
)
def test_errors_decide_about_retries(
    project: Project, answers: list[tuple[int, str]], result: str, seconds: int
) -> None:
    """Each status of the service does what the table says, after the pause that was chosen."""

    async def part(stage: Scene) -> Any:
        sys.modules["service"].answers["tea"] = list(answers)
        began = stage.clock.now()
        run = await start(import_module("calls").lookup, "tea")
        found = await finish(run, stage.clock)
        return found, round((stage.clock.now() - began) / 1_000_000)

    found, took = play(project, part)
    assert found == result
    # 503 names a moment by the clock of the machine, which is not that of the world here.
    assert took == seconds or answers[0][0] == 503


def test_a_step_with_five_retries_gives_up_after_six_attempts(project: Project) -> None:
    """`max_retries=5`, and then the error reaches the workflow, which fails."""

    async def part(stage: Scene) -> Any:
        asked = sys.modules["service"].answers["tea"] = [(500, "")] * 20
        run = await start(import_module("calls").lookup, "tea")
        with pytest.raises(Exception, match="backing off"):
            await finish(run, stage.clock)
        return 20 - len(asked)

    assert play(project, part) == 6


def test_values_are_copies(project: Project) -> None:
    """What a step does to its argument is not seen; what it returns is."""
    assert result_of(project, "copies.guests") == (["Bob"], ["Bob", "Ada"])


def test_facts_about_the_run_and_the_step(project: Project) -> None:
    """Metadata are there in the step and the body, attributes find the run; outside, an error."""

    async def part(stage: Scene) -> Any:
        run = await start(import_module("whoami").facts)
        facts = await run.result(60)
        assert [found.run_id async for found in list_runs(attributes={"kind": "example"})] == [
            run.run_id
        ]
        assert facts["run"] == run.run_id
        assert facts["key"].startswith("step_")
        assert facts["since"] <= facts["began"]
        return facts["step"], facts["attempt"], facts["name"]

    assert play(project, part) == ("step_facts", 1, "facts")
    with pytest.raises(ContextError):
        asyncio.run(import_module("whoami").step_facts())


def test_a_step_that_computes(project: Project) -> None:
    """It counts in a process of its own, and what it cannot take is an error like any other's."""
    assert result_of(project, "pictures.brightest", bytes([3, 200, 7])) == 200
    assert import_module("pictures").histogram(b"\x01\x01")[1] == 2


def test_the_script(project: Project) -> None:
    """The blocking functions start runs and wait for them; the world tells who waits."""

    async def part(stage: Scene) -> Any:
        script = import_module("script")
        assert await script.open_hooks() == []
        token = await token_of(await start(import_module("pipeline").shorter))
        assert await script.open_hooks() == [token]
        return await asyncio.to_thread(script.greet_all, ["Ada", "Bob"])

    assert play(project, part) == ["Hello Ada", "Hello Bob"]


def test_the_application(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start and leave, wait, stream, and look later."""
    monkeypatch.setenv("WORKFLOW_TARGET_WORLD", "memory")

    async def main() -> None:
        async with asyncio.timeout(60), served(import_module("service_app").app) as client:
            run_id = (await client.post("/greetings/Ada")).json()["run_id"]
            assert (await client.get("/greetings/Bob")).json() == {"message": "Hello Bob"}
            assert await get_run(run_id).result(60) == {"message": "Hello Ada"}
            seen = (await client.get(f"/runs/{run_id}")).json()
            assert seen == {"status": "completed", "result": {"message": "Hello Ada"}}
            assert (await client.get("/runs/wrun_none")).status_code == 404

            stream = asyncio.create_task(client.post("/stories", params={"words": 3}))
            tell = await until(get_world(), the_story, what="the sleep of the story")
            assert (await client.get(f"/runs/{tell.run_id}")).json() == {"status": "running"}
            await tell.wake_up()
            assert (await stream).text == "word 0 word 1 word 2 "
            assert (await stream).headers["x-run-id"] == tell.run_id
            log = tell.get_readable(namespace="log")
            assert [line async for line in log] == ["the words are written"]

    async def the_story() -> Run[Any] | None:
        async for run in list_runs(workflow=import_module("stories").tell):
            if "wait_created" in (await Events.of(get_world(), run.run_id)).types():
                return run
        return None

    asyncio.run(main())

"""docs/cookbook.md: each recipe is built and run, by the clock of the test."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.examples.building import Scene, scene
from tests.examples.pages import DOCS, built
from tests.project import Events, until
from workflow.api import Run, get_run, list_runs, resume_hook, start
from workflow.engine import Project
from workflow.errors import WorkflowRunFailedError
from workflow.testing import finish

# What the recipes talk to. The slow provider waits for the test.
BESIDE = {
    "providers.py": """
import asyncio

answers = {"fast": 7}
asked = []


async def ask(provider, item):
    asked.append(provider)
    if provider not in answers:
        await asyncio.Event().wait()
    return answers[provider]
""",
    "warehouse.py": """
looks = []
answers = {}


async def begin(table):
    return f"job of {table}"


async def state(job):
    looks.append(job)
    return answers.get(len(looks), {"state": "busy"})
""",
    "model.py": """
async def stream_answer(messages, tools):
    if len(messages) == 1:
        yield "let me "
        yield "see. "
        yield {"tool": "weather", "arguments": {"city": "Paris"}}
        yield {"tool": "add", "arguments": {"a": 1, "b": 2}}
    else:
        yield " and ".join(m["text"] for m in messages if m["role"] == "tool")
""",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with built(DOCS / "cookbook.md", tmp_path_factory.mktemp("cookbook"), BESIDE) as project:
        yield project


def play(project: Project, part: Callable[[Scene], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with scene(project) as stage:
            return await part(stage)

    return asyncio.run(main())


def recipe(name: str) -> Any:
    module, function = name.split(".")
    return getattr(import_module(module), function)


def result_of(project: Project, name: str, *args: Any) -> tuple[Any, float]:
    """The result of a run, and the seconds of the world's clock that it took."""

    async def part(stage: Scene) -> tuple[Any, float]:
        began = stage.clock.now()
        run: Run[Any] = await start(recipe(name), *args)
        result = await finish(run, stage.clock)
        return result, (stage.clock.now() - began) / 1_000_000

    found: tuple[Any, float] = play(project, part)
    return found


async def opened(stage: Scene, token: str) -> None:
    """Wait until there is a hook with the token."""
    await until(stage.world, lambda: stage.world.get_hook(token), what=f"the hook {token}")


def test_many_things_and_no_more_than_ten_at_once(project: Project) -> None:
    """Of thirty steps never more than ten are open, and failures are told in the end."""
    pictures = [f"{n}.png" for n in range(29)] + ["a.txt"]

    async def part(stage: Scene) -> Any:
        run = await start(recipe("pictures.resize_all"), pictures)
        result = await run.result(60)
        open_now, most = 0, 0
        for type in (await Events.of(stage.world, run.run_id)).types():
            open_now += {"step_created": 1, "step_completed": -1, "step_failed": -1}.get(type, 0)
            most = max(most, open_now)
        assert most == 10
        return result

    result = play(project, part)
    assert result["done"] == [f"small {n}.png" for n in range(29)]
    assert result["failed"] == ["a.txt is no picture"]


def test_ten_a_minute(project: Project) -> None:
    """Twenty-five things take two pauses."""
    done, took = result_of(project, "pictures.ten_a_minute", [str(n) for n in range(25)])
    assert len(done) == 25
    assert took == 120


def test_the_first_answer_counts_and_the_other_is_left(project: Project) -> None:
    """Both are asked, and the run does not wait for the slow one."""

    async def part(stage: Scene) -> int:
        run: Run[int] = await start(recipe("quotes.first_quote"), "tea")
        return await run.result(60)

    assert play(project, part) == 7
    assert set(sys.modules["providers"].asked) == {"fast", "slow"}


def test_a_step_with_its_retries_has_ten_minutes(project: Project) -> None:
    """The time-out of the body comes true, by the world's clock."""

    async def part(stage: Scene) -> Any:
        run = await start(recipe("quotes.quote_or_estimate"), "tea")

        async def waiting() -> bool:
            return "wait_created" in (await Events.of(stage.world, run.run_id)).types()

        await until(stage.world, waiting, what="the time-out")
        stage.clock.advance(601)
        return await run.result(60)

    assert play(project, part) == 100


@pytest.mark.parametrize(
    ("at", "answer", "result"),
    [
        (5, {"state": "done", "file": "t.csv"}, "t.csv"),
        (2, {"state": "failed", "why": "no disk"}, "no disk"),
        (1000, {}, "not done after a day"),
    ],
)
def test_a_job_elsewhere_is_asked_about(
    project: Project, at: int, answer: dict[str, str], result: str
) -> None:
    """It is done, it fails, or a day has passed."""
    warehouse: Any = sys.modules["warehouse"]
    warehouse.looks.clear()
    warehouse.answers = {at: answer}
    if at == 5:
        file, took = result_of(project, "exports.export", "t")
        assert (file, took) == ("t.csv", 10 + 20 + 40 + 80 + 160)
    else:
        with pytest.raises(WorkflowRunFailedError, match=result):
            result_of(project, "exports.export", "t")
        assert len(warehouse.looks) == (2 if at == 2 else 149)


def test_a_report_at_eight_whatever_summer_time_does(project: Project) -> None:
    """One report a day over the change of the clocks; one schedule; a successor each month."""

    async def part(stage: Scene) -> None:
        stage.clock.advance(86 * 86_400)  # 2025-03-28, two days before summer time
        run = await recipe("mornings.begin")()
        assert (await recipe("mornings.begin")()).run_id == run.run_id
        successor: Run[str] = get_run(await finish(run, stage.clock))
        assert await successor.exists
        events = await stage.world.list_events(run.run_id)
        woken = [e.at // 3_600_000_000 % 24 for e in events if e.type == "wait_completed"]
        assert woken == [7, 7] + [6] * 28  # UTC
        await successor.terminate("enough")

    play(project, part)
    days = Path("reports").read_text().split()
    assert days[:4] == ["2025-03-28", "2025-03-29", "2025-03-30", "2025-03-31"]
    assert len(set(days)) == 30


@pytest.mark.parametrize(("after", "mails"), [(1, 1), (5, 3), (7, 4)])
def test_reminders_until_somebody_answers(project: Project, after: int, mails: int) -> None:
    """So many mails have gone out when the signature comes after so many days."""
    Path("mails").unlink(missing_ok=True)

    async def part(stage: Scene) -> Any:
        run = await start(recipe("signatures.signature"), "c", "ada", "boss")
        await opened(stage, "sign:c")

        async def asleep() -> bool:
            due = (await stage.world.get_run(run.run_id)).next_timer  # type: ignore[union-attr]
            return due is not None and due > stage.clock.now()

        for _ in range(after):
            await until(stage.world, asleep, what="a wait")
            stage.clock.advance(86_400)
        await until(stage.world, asleep, what="a wait")
        await resume_hook("sign:c", "Ada")
        return await run.result(60)

    assert play(project, part) == ("signed by Ada" if after < 6 else "signed late by Ada")
    assert len(Path("mails").read_text().splitlines()) == mails


def test_an_account_is_one_run(project: Project) -> None:
    """Opened twice it is one; commands are done in order; more than there is cannot go out."""

    async def part(stage: Scene) -> None:
        accounts = import_module("accounts")
        run = await accounts.open_account("ada")
        assert (await accounts.open_account("ada")).run_id == run.run_id
        await opened(stage, "account:ada")
        second: Run[int] = await start(accounts.account, "ada")
        with pytest.raises(WorkflowRunFailedError, match=f"kept by {run.run_id}"):
            await second.result(60)
        for do, cents in (("pay in", 100), ("pay out", 70), ("pay out", 70), ("close", 0)):
            assert await accounts.tell("ada", accounts.Command(do, cents))
        assert await run.result(60) == 30
        assert not await accounts.tell("ada", accounts.Command("pay in", 1))

    play(project, part)


def test_changes_are_collected_until_it_is_quiet(project: Project) -> None:
    """Three changes in less than a minute of each other are one rebuild of two pages."""

    async def part(stage: Scene) -> Any:
        run = await start(recipe("rebuilds.rebuild_when_quiet"), "s")
        await opened(stage, "site:s")
        for page in ("a", "b", "a"):
            await resume_hook("site:s", page)
        return await finish(run, stage.clock)

    assert play(project, part) == 2


def test_large_batches_go_to_children(project: Project) -> None:
    """250 letters are three children, which can be found, and the sum is right."""

    async def part(stage: Scene) -> Any:
        run = await start(recipe("letters.send_all"), [str(n) for n in range(250)])
        total = await run.result(60)
        children = [child async for child in list_runs(attributes={"kind": "letters"})]
        assert len(children) == 3
        return total

    assert play(project, part) == 250


def test_somebody_is_paged_when_a_run_fails(project: Project) -> None:
    """The parent succeeds and fails with its child, and says why it failed."""
    assert result_of(project, "watched.watched_import", "abc")[0] == 3
    assert not Path("pager").exists()
    with pytest.raises(WorkflowRunFailedError, match="no source"):
        result_of(project, "watched.watched_import", "")
    assert Path("pager").read_text() == "no source\n"


def test_an_assistant_uses_tools_and_streams(project: Project) -> None:
    """The tools' results are in the answer, and all that the model says is in the stream."""

    async def part(stage: Scene) -> Any:
        run = await start(recipe("assistant.chat"), "weather?")
        answer = await run.result(60)
        return answer, [piece async for piece in run.readable]

    answer, pieces = play(project, part)
    assert answer == "sunny in Paris and 3"
    assert pieces == ["let me ", "see. ", "sunny in Paris and 3"]

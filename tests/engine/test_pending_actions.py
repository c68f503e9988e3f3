"""Questions that a run asks a person. On every world, with real workers."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.engine.questions import FLOWS
from tests.engine.serving import START, MakeWorld, serve
from tests.project import Events, build, loaded, until
from workflow.api import (
    PendingAction,
    Run,
    get_run,
    list_runs,
    resume_hook,
    resume_run,
    start,
)
from workflow.engine import Application
from workflow.errors import (
    PendingActionError,
    PendingActionExpiredError,
    RunEndedError,
    WorkflowRunCancelledError,
    WorkflowRunFailedError,
    WorkflowRunNotFoundError,
)
from workflow.testing.clock import VirtualClock
from workflow.testing.finish import finish
from workflow.worlds import memory


async def asks(app: Application, run: Run[Any], *steps: str) -> tuple[PendingAction, ...]:
    """Wait until the run asks exactly these questions."""

    async def look() -> tuple[PendingAction, ...] | None:
        actions = await run.pending_actions
        return actions if [a.step for a in actions] == list(steps) else None

    return await until(app.world, look, what=f"the questions {steps}")


async def becomes(app: Application, run: Run[Any], status: str) -> None:
    """Wait until the run has this status."""

    async def look() -> bool:
        return await run.status == status

    await until(app.world, look, what=f"the status {status}")


def test_a_person_is_asked_and_answers(make_world: MakeWorld, tmp_path: Path) -> None:
    """The run is paused with its question until it is resumed; then it goes on with the input."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.approve, 5)
        await becomes(app, run, "paused")
        since = datetime.fromtimestamp(START, UTC)
        wanted = PendingAction(
            step="approval",
            type="confirmation",
            message="Pay 5?",
            options=("yes", "no"),
            since=since,
            expires=since + timedelta(days=30),
        )
        assert await run.pending_action == wanted
        assert await run.pending_actions == (wanted,)
        assert [r.run_id async for r in list_runs(status="paused")] == [run.run_id]
        await run.resume("approval", "yes")
        assert await run.result(60) == "paid 5"
        assert await run.status == "completed"
        assert await run.pending_action is None
        assert (await Events.of(app.world, run.run_id)).types() == [
            *("run_created", "hook_requested", "wait_created", "hook_created", "hook_received"),
            *("hook_disposed", "step_created", "step_completed", "run_completed"),
        ]

    serve(make_world, tmp_path, FLOWS, play)


def test_a_paused_run_waits_without_a_worker(make_world: MakeWorld, tmp_path: Path) -> None:
    """It has no owner, is due by its lifetime only, and is `running` while it works."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.again)
        await becomes(app, run, "paused")

        async def idle() -> bool:
            row = await app.world.get_run(run.run_id)
            return row is not None and row.owner is None

        await until(app.world, idle)
        row = await app.world.get_run(run.run_id)
        assert row is not None
        assert row.next_timer == (START + 30 * 86_400) * 1_000_000
        await run.resume("next", "one")
        await asks(app, run, "next")
        await resume_run(run.run_id, "next", "enough")
        assert await run.result(60) == ["one"]

    serve(make_world, tmp_path, FLOWS, play)


def test_answers_that_are_refused(make_world: MakeWorld, tmp_path: Path) -> None:
    """An unknown step, a wrong option, a second answer, a run that is over or not there."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.approve, 5)
        await becomes(app, run, "paused")
        with pytest.raises(PendingActionError, match=r"'maybe' is none of .*'yes', 'no'"):
            await run.resume("approval", "maybe")
        with pytest.raises(PendingActionError, match="no pending action 'aproval'; open are: 'app"):
            await run.resume("aproval", "yes")
        with pytest.raises(TypeError, match="needs the input"):
            await run.resume("approval")  # type: ignore[call-overload]
        with pytest.raises(TypeError, match="needs the name of the question"):
            await run.resume(input="yes")  # type: ignore[call-overload]
        (hook,) = await app.world.list_hooks(run.run_id)
        with pytest.raises(PendingActionError, match=r"run.resume\('approval'"):
            await resume_hook(hook.token, "maybe")
        assert await run.status == "paused"
        await run.resume("approval", "no")
        with pytest.raises((PendingActionError, RunEndedError)):
            await run.resume("approval", "yes")
        assert await run.result(60) == "not paid"
        with pytest.raises(RunEndedError, match="ended as completed"):
            await run.resume("approval", "yes")
        with pytest.raises(WorkflowRunNotFoundError):
            await resume_run("wrun_none", "approval", "yes")
        with pytest.raises(WorkflowRunNotFoundError):
            await get_run("wrun_none").pending_actions

    serve(make_world, tmp_path, FLOWS, play)


def test_of_many_answers_one_counts(make_world: MakeWorld, tmp_path: Path) -> None:
    """Ten people answer at once: one is told that it counted, the others that they are late."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.both)
        await asks(app, run, "first", "second")

        answers = [run.resume("first", n) for n in range(10)]
        outcomes = await asyncio.gather(*answers, return_exceptions=True)
        given = [n for n, outcome in enumerate(outcomes) if outcome is None]
        assert len(given) == 1
        late = [str(outcome) for outcome in outcomes if isinstance(outcome, PendingActionError)]
        assert len(late) == 9
        assert all("answered already" in text for text in late)
        await run.resume("second", "b")
        assert await run.result(60) == [*given, "b"]
        log = await Events.of(app.world, run.run_id)
        assert log.types().count("hook_received") == 2

    serve(make_world, tmp_path, FLOWS, play)


def test_inputs_become_types_of_many_parts(make_world: MakeWorld, tmp_path: Path) -> None:
    """Types that are put together, and adapters: what `resume` can know it refuses itself."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.spelled)
        for step, label, wrong, right in (
            ("reviews", "list[Review]", [{"approved": "perhaps"}], [{"approved": True}]),
            ("day", "Optional[date]", "yesterday", "2026-07-01"),
            ("size", "Literal['small', 'large']", "medium", "small"),
        ):
            (action,) = await asks(app, run, step)
            assert action.type == label
            with pytest.raises(PendingActionError, match="takes " + re.escape(label)):
                await run.resume(step, wrong)
            await run.resume(step, right)
        (action,) = await asks(app, run, "amount")
        assert action.type == "input"
        await run.resume("amount", "7")
        assert await run.result(60) == [[flows.Review(True)], date(2026, 7, 1), "small", 7]

        run = await start(flows.spelled)
        for step, given in (("reviews", []), ("day", None), ("size", "large"), ("amount", -1)):
            await asks(app, run, step)
            await run.resume(step, given)
        with pytest.raises(WorkflowRunFailedError, match="greater than 0"):
            await run.result(60)  # what only the body knows, it checks itself

    serve(make_world, tmp_path, FLOWS, play)


def test_inputs_become_the_type_that_was_asked_for(make_world: MakeWorld, tmp_path: Path) -> None:
    """A dict becomes the dataclass; what does not fit is refused and the run stays paused."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.typed)
        (action,) = await asks(app, run, "review")
        assert (action.type, action.options) == ("Review", None)
        with pytest.raises(PendingActionError, match="takes Review"):
            await run.resume("review", {"approved": "perhaps"})
        await run.resume("review", {"approved": True, "note": "good"})
        (action,) = await asks(app, run, "count")
        assert action.type == "int"
        with pytest.raises(PendingActionError, match="takes int"):
            await run.resume("count", "many")
        await run.resume("count", "7")
        assert await run.result(60) == "Review True good 7"

    serve(make_world, tmp_path, FLOWS, play)


def test_several_questions_at_once(make_world: MakeWorld, tmp_path: Path) -> None:
    """They are listed in the order they were asked, and answered in any order."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.both)
        await asks(app, run, "first", "second")
        await run.resume("second", 2)
        await asks(app, run, "first")
        await becomes(app, run, "paused")
        with pytest.raises(PendingActionError, match="answered already"):
            await run.resume("second", 3)
        await run.resume("first", 1)
        assert await run.result(60) == [1, 2]
        clash = await start(flows.twice_at_once)
        assert "two names" in await clash.result(60)

    serve(make_world, tmp_path, FLOWS, play)


def test_a_run_that_can_go_on_by_itself_is_running(make_world: MakeWorld, tmp_path: Path) -> None:
    """Beside a sleep, an awaited hook or an awaited child, the question leaves it `running`."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        race = await start(flows.or_later)
        hooked = await start(flows.beside, "t")
        parent = await start(flows.with_child)
        await asks(app, race, "now")
        await asks(app, hooked, "person")
        await asks(app, parent, "person")
        for run in (race, hooked, parent):
            assert await run.status == "running"
        await race.resume("now", "at once")
        assert await race.result(60) == "at once"
        await resume_hook("t", "data")
        await becomes(app, hooked, "paused")
        await hooked.resume("person", "p")
        assert await hooked.result(60) == ["data", "p"]
        await resume_hook("grandchild", "g")
        await becomes(app, parent, "paused")
        await parent.resume("person", "p")
        assert await parent.result(60) == ["g", "p"]
        late = await start(flows.or_later)
        await asks(app, late, "now")
        clock.advance(3601)
        assert await late.result(60) == "later"
        assert await late.pending_actions == ()

    serve(make_world, tmp_path, FLOWS, play)


def test_a_hook_that_nobody_awaits_does_not_count(make_world: MakeWorld, tmp_path: Path) -> None:
    """Payloads may come to an open hook, but only the person moves the run."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.with_open_hook, "open")
        await becomes(app, run, "paused")
        await resume_hook("open", "!")
        await run.resume("person", "hello")
        assert await run.result(60) == "hello!"

    serve(make_world, tmp_path, FLOWS, play)


def test_nobody_answers(make_world: MakeWorld, tmp_path: Path) -> None:
    """After its lifetime the run fails as `expired`, also one that a new worker finds so."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.short)
        (action,) = await asks(app, run, "quick")
        assert action.expires - action.since == timedelta(hours=1)
        clock.advance(3601)
        with pytest.raises(WorkflowRunFailedError, match="nobody answered") as failed:
            await run.result(60)
        assert failed.value.error_code == "expired"
        assert isinstance(failed.value.__cause__, PendingActionExpiredError)
        assert failed.value.__cause__.step == "quick"
        kind = await start(flows.forgiving)
        await asks(app, kind, "quick")
        clock.advance(3601)
        (boss,) = await asks(app, kind, "boss")
        assert "within 3600 s" in boss.message
        with pytest.raises(PendingActionError, match="not asked any more"):
            await kind.resume("quick", "late")
        await kind.resume("boss", "fine")
        assert await kind.result(60) == "fine"

    serve(make_world, tmp_path, FLOWS, play)


def test_cancelled_while_it_is_paused(make_world: MakeWorld, tmp_path: Path) -> None:
    """The body cleans up, and is running while it does."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.cleans)
        await becomes(app, run, "paused")
        await run.cancel("changed our minds")
        with pytest.raises(WorkflowRunCancelledError, match="changed our minds"):
            await run.result(60)
        log = await Events.of(app.world, run.run_id)
        assert log.types()[-5:] == [
            *("run_cancel_requested", "hook_disposed", "step_created", "step_completed"),
            "run_cancelled",
        ]

    serve(make_world, tmp_path, FLOWS, play)


@pytest.mark.parametrize("make_world", ["local", "postgres"], indirect=True)
def test_another_worker_goes_on(make_world: MakeWorld, tmp_path: Path) -> None:
    """The status and the question outlive the process; the answer waits for the next worker."""
    project = build(tmp_path, FLOWS)
    clock = VirtualClock(START * 1_000_000)
    world = make_world(clock)

    async def main() -> None:
        async with Application(world, project) as app:
            run = await start(loaded(tmp_path).approve, 3)
            await becomes(app, run, "paused")
        async with Application(world, project, worker=False) as app:
            run = get_run(run.run_id)
            assert await run.status == "paused"
            await run.resume("approval", "yes")
            assert await run.pending_actions == ()  # the answer is on its way
            with pytest.raises(PendingActionError, match="answered already"):
                await run.resume("approval", "no")
        async with Application(world, project):
            assert await get_run(run.run_id).result(60) == "paid 3"

    asyncio.run(main())


def test_the_lifetime_of_the_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """WORKFLOW_PENDING_ACTION_TIMEOUT counts for runs that are started under it."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        monkeypatch.setenv("WORKFLOW_PENDING_ACTION_TIMEOUT", "2 days")
        run = await start(flows.anything)
        monkeypatch.setenv("WORKFLOW_PENDING_ACTION_TIMEOUT", "3 days")
        (action,) = await asks(app, run, "input")
        assert action.expires - action.since == timedelta(days=2)
        monkeypatch.setenv("WORKFLOW_PENDING_ACTION_TIMEOUT", "soon")
        with pytest.raises(ValueError, match=r"WORKFLOW_PENDING_ACTION_TIMEOUT.*'soon'"):
            await start(flows.anything)

    serve(lambda clock: memory.create(clock), tmp_path, FLOWS, play)


def test_tests_answer_before_the_time_is_up(tmp_path: Path) -> None:
    """`finish` skips the waits of a run, but not the time that a person takes."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.short)
        result = asyncio.create_task(finish(run, clock))
        await asks(app, run, "quick")
        await run.resume("quick", "here")
        assert await result == "here"
        assert clock.now() == START * 1_000_000

    serve(lambda clock: memory.create(clock), tmp_path, FLOWS, play)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("step", "ValueError: a pending action's step is text"),
        ("options", "ValueError: options= are different texts"),
        ("text", "ValueError: options= are different texts"),
        ("type", "TypeError: type= of pending_action(): pydantic cannot check 5."),
        ("both", "TypeError: with options=, type= is a label"),
        ("timeout", "ValueError: timeout= of pending_action() must be longer than 0"),
    ],
)
def test_wrong_questions(tmp_path: Path, kind: str, said: str) -> None:
    """They fail where they are asked, and say what is right."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.wrong, kind)
        assert (await run.result(60)).startswith(said)

    serve(lambda clock: memory.create(clock), tmp_path, FLOWS, play)

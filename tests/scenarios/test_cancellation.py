"""Cancellation: what stops, who is told, and what still happens afterwards."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.stage import Service, Stage, on
from workflow.api import Run, resume_hook
from workflow.errors import RunEndedError

# Seconds until a step or a request is cancelled. What has not begun by then, because the machine is
# busy, is not told.
TRIES = (0.2, 2.0, 20.0)


async def _told(stage: Stage, marks: Path, *names: str) -> None:
    """Wait until each of these steps has been told to stop."""
    for name in names:
        while not (marks / f"{name}.told").exists():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)


async def _began(marks: Path, name: str) -> None:
    while not (marks / f"{name}.began").exists():  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(0.02)


@pytest.mark.scenario(
    "abort: timeout cancels a step",
    "abort: all parallel steps",
    "abort: sleep as a timeout",
    "abort: listener in a step",
)
@pytest.mark.parametrize(
    ("name", "expected", "told"),
    [
        ("timeout_cancels", "after the timeout", ["slow"]),
        ("all_parallel", ["CancelledError"] * 3, ["p0", "p1", "p2"]),
        ("sleep_as_timeout", "took too long", ["idiom"]),
    ],
)
def test_steps_are_told(
    service: Service, tmp_path: Path, name: str, expected: Any, told: list[str]
) -> None:
    """The body goes on, and steps that were under way get a CancelledError."""

    async def work(stage: Stage) -> None:
        for seconds in TRIES:
            found = await stage.run(f"cancellation.{name}", str(tmp_path), seconds)
            assert found == expected
            if all((tmp_path / f"{step}.began").exists() for step in told):
                break
        await _told(stage, tmp_path, *told)

    on(service, work)


@pytest.mark.scenario(
    "abort: a step aborts its sibling", "abort: already aborted", "abort: the reason is kept"
)
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("step_aborts_sibling", "a step said so"),
        ("already_aborted", [1, True, "after"]),
    ],
)
def test_siblings(service: Service, tmp_path: Path, name: str, expected: Any) -> None:
    """A task may be cancelled by what a step has found, or before its step begins."""
    found = on(service, lambda stage: stage.run(f"cancellation.{name}", str(tmp_path)))
    assert found == expected
    assert not (tmp_path / "not begun.began").exists()


@pytest.mark.scenario("abort: after completion nothing happens")
def test_after_completion(service: Service) -> None:
    """A task that is done cannot be cancelled."""
    found = on(service, lambda stage: stage.run("cancellation.after_completion"))
    assert found == ["done", False, "done"]


@pytest.mark.scenario("abort: by a hook", "abort: AbortSignal.any")
@pytest.mark.parametrize(
    ("name", "step", "resumed", "expected"),
    [
        ("by_hook", "until the hook", True, "stopped by now"),
        ("any_of_two", "either", False, "time"),
    ],
)
def test_by_hook_or_time(
    service: Service, tmp_path: Path, name: str, step: str, resumed: bool, expected: str
) -> None:
    """Data from outside stops a step, or time does if it comes first."""

    async def work(stage: Stage) -> Any:
        token = f"c-{name}"
        run = await stage.start(f"cancellation.{name}", str(tmp_path), token)
        await _began(tmp_path, step)
        if resumed:
            await stage.hook(token)
            await resume_hook(token, "now")
        else:
            await run.wake_up()  # the time is over
        await _told(stage, tmp_path, step)
        return await stage.result(run)

    assert on(service, work) == expected


@pytest.mark.scenario(
    "abort: from outside, in the middle of a step",
    "abort: from outside, before the start",
    "abort: reason types",
)
def test_from_outside(service: Service, tmp_path: Path) -> None:
    """The step is told, the body cleans up; a run that has not begun ends without a step."""

    async def work(stage: Stage) -> None:
        run = await stage.start("cancellation.cancelled_from_outside", str(tmp_path))
        await _began(tmp_path, "outside")
        await run.cancel("enough: 1 ✓")
        assert "enough: 1 ✓" in (await stage.outcome(run))["message"]
        await _told(stage, tmp_path, "outside")
        assert (tmp_path / "cleaned up").exists()

        later = await stage.start(
            "cancellation.after_completion", options={"delay": 3600, "run_id": later_id}
        )
        await later.cancel("before it began")
        found = await stage.outcome(later)
        assert found["error"] == "WorkflowRunCancelledError"
        assert "step_created" not in await stage.types(later)

    later_id = f"wrun_later_{service.target}"
    on(service, work)


@pytest.mark.scenario("abort: a branch on who won is deterministic", "abort: survives replay")
def test_branches_survive_replay(service: Service) -> None:
    """The way that was taken is taken again by whoever replays the run, as every turn here is."""

    async def work(stage: Stage) -> Any:
        run = await stage.start("cancellation.branch_on_the_winner", "c-branch")
        await stage.hook("c-branch")
        await resume_hook("c-branch", None)
        return await stage.result(run)

    assert on(service, work) == ["hook", "went hook's way"]


@pytest.mark.scenario(
    "abort: a fetch in flight is torn down", "abort: an aborted fetch is not retried"
)
def test_fetch_is_torn_down(service: Service) -> None:
    """The server of the other side sees its caller go, once."""

    async def work(stage: Stage) -> tuple[Any, int]:
        gone = asyncio.Event()
        calls = 0

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal calls
            with suppress(asyncio.IncompleteReadError):  # it was too late to ask
                await reader.readuntil(b"\r\n\r\n")
                calls += 1
            assert await reader.read() == b""  # the caller has hung up
            if calls:
                gone.set()
            writer.close()

        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        for seconds in TRIES:
            url = f"http://127.0.0.1:{port}/"
            found = await stage.run("cancellation.fetch_is_torn_down", url, seconds)
            if calls:
                break
        await gone.wait()
        server.close()
        return found, calls

    assert on(service, work) == ("given up", 1)


@pytest.mark.scenario("abort: hook and cancellation in four orders")
@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (("hook", "cancel"), ["got 1", "cancelled: now"]),
        (("cancel", "hook"), ["cancelled: now"]),
        (("hook", "hook", "cancel"), ["got 1", "got 2", "cancelled: now"]),
        (("last", "cancel"), ["got last"]),
    ],
)
def test_orders(service: Service, order: tuple[str, ...], expected: list[str]) -> None:
    """Payloads before a cancellation are handled before it, later ones are not."""

    async def work(stage: Stage) -> Any:
        token = f"c-order-{'-'.join(order)}"
        run: Run[Any] = await stage.start("cancellation.hook_and_cancel", token)
        await stage.hook(token)
        for n, act in enumerate(order, 1):
            if act == "cancel":
                with suppress(RunEndedError):  # after the last payload
                    await run.cancel("now")
                await stage.until(lambda: _ended(stage, run))
                break
            await resume_hook(token, n if act == "hook" else "last")
            await stage.until(lambda n=n: _handled(stage, run, n))  # type: ignore[misc]
        return await stage.result(run)

    assert on(service, work) == expected


async def _ended(stage: Stage, run: Run[Any]) -> bool:
    return (await stage.record(run)).completed_at is not None


async def _handled(stage: Stage, run: Run[Any], count: int) -> bool:
    types = await stage.types(run)
    return types.count("step_completed") >= count

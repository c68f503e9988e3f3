"""Tokens as names that one run may hold: claims, mutexes, duplicates. On every world."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.engine.serving import MakeWorld, serve
from tests.project import Events, until
from workflow import Request
from workflow.api import Run, get_hook_by_token, get_run, resume_hook, resume_webhook, start
from workflow.engine import Application
from workflow.errors import (
    HookNotFoundError,
    WorkflowRunCancelledError,
    WorkflowRunFailedError,
)
from workflow.testing.clock import VirtualClock


async def held(app: Application, token: str) -> str:
    """Wait until a run holds the token; its id."""

    async def look() -> str | None:
        try:
            return (await get_hook_by_token(token)).run_id
        except HookNotFoundError:
            return None

    return await until(app.world, look, what=f"the token {token}")


FLOWS = """
    import asyncio

    from workflow import HookConflictError, create_hook, sleep
    from workflow.api import get_run, resume_hook

    async def note(text: str) -> str:
        "use step"
        return text

    async def result_of(run_id: str) -> str:
        "use step"
        return await get_run(run_id)

    async def forward(token: str, payload: str) -> None:
        "use step"
        await resume_hook(token, payload)

    async def stop(run_id: str) -> None:
        "use step"
        run = get_run(run_id)
        await run.cancel("another one takes over")
        while await run.completed_at is None:
            await asyncio.sleep(0.005)

    async def registers(token: str) -> str:
        "use workflow"
        hook = create_hook(str, token=token)
        owner = await hook.get_conflict()
        return await hook if owner is None else f"held by {owner}"

    async def around(token: str) -> list[str]:
        "use workflow"
        before = await note("before")
        hook = create_hook(str, token=token)
        owner, beside = await asyncio.gather(hook.get_conflict(), note("beside"))
        after = await note("after")
        return [before, beside, after, str(owner is None)]

    async def mutex(name: str) -> str:
        "use workflow"
        lock = create_hook(token=f"lock {name}")
        if await lock.get_conflict() is not None:
            return "busy"
        await sleep("1h")
        return "done"

    async def adopts(order: str) -> str:
        "use workflow"
        claim = create_hook(str, token=f"order {order}")
        owner = await claim.get_conflict()
        if owner is not None:
            return await result_of(owner)
        return "made with " + await claim

    async def forwards(order: str, payload: str) -> str:
        "use workflow"
        claim = create_hook(str, token=f"order {order}")
        owner = await claim.get_conflict()
        if owner is not None:
            await forward(claim.token, payload)
            return f"forwarded to {owner}"
        got = [payload, await claim]
        return " ".join(got)

    async def takes_over(name: str) -> str:
        "use workflow"
        while True:
            claim = create_hook(str, token=f"latest {name}")
            owner = await claim.get_conflict()
            if owner is None:
                return await claim
            await stop(owner)

    async def disposes(token: str) -> list[str]:
        "use workflow"
        found = []
        for _ in range(3):
            async with create_hook(str, token=token) as hook:
                assert await hook.get_conflict() is None
                found.append(await hook)
        return found

    async def holds_then_frees(token: str) -> str:
        "use workflow"
        hook = create_hook(str, token=token)
        first = await hook
        hook.dispose()
        second = await create_hook(str, token="second")
        return first + second

    async def refused(token: str) -> str:
        "use workflow"
        hook = create_hook(str, token=token)
        try:
            return await hook
        except HookConflictError as error:
            assert error.conflicting_run_id == error.run_id
            return error.run_id
"""


@pytest.mark.fault("C8")
def test_get_conflict_registers_without_payload(make_world: MakeWorld, tmp_path: Path) -> None:
    """After it the token can be found and resumed, though nobody awaits a payload yet."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.registers, "t")
        assert await held(app, "t") == run.run_id
        await resume_hook("t", "hello")
        assert await run.result(60) == "hello"

    serve(make_world, tmp_path, FLOWS, play)


def test_get_conflict_does_not_block_steps(make_world: MakeWorld, tmp_path: Path) -> None:
    """Steps before it, beside it and after it are done; no payload is needed."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.around, "t")
        assert await run.result(60) == ["before", "beside", "after", "True"]
        log = await Events.of(app.world, run.run_id)
        assert log.types().count("step_completed") == 3
        assert "hook_received" not in log.types()

    serve(make_world, tmp_path, FLOWS, play)


def test_get_conflict_resolves_to_the_owner_run(make_world: MakeWorld, tmp_path: Path) -> None:
    """The second run is told which one holds the token; so is one that awaits a payload."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        first = await start(flows.registers, "t")
        await held(app, "t")
        second = await start(flows.registers, "t")
        assert await second.result(60) == f"held by {first.run_id}"
        third = await start(flows.refused, "t")
        assert await third.result(60) == first.run_id
        await resume_hook("t", "still mine")
        assert await first.result(60) == "still mine"

    serve(make_world, tmp_path, FLOWS, play)


@pytest.mark.parametrize("token", ["a\0b", "\ud800"])
def test_a_token_that_no_database_stores(make_world: MakeWorld, tmp_path: Path, token: str) -> None:
    """The body is told, and the run is not parked; nobody holds such a token, on any world."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.registers, token)
        with pytest.raises(WorkflowRunFailedError, match="and surrogates, not"):
            await run.result(60)
        with pytest.raises(HookNotFoundError):
            await resume_hook(token, "hello")
        with pytest.raises(HookNotFoundError):
            await resume_webhook(token, Request("POST", "http://here/", {}, b""))

    serve(make_world, tmp_path, FLOWS, play)


def test_claim_only_mutex(make_world: MakeWorld, tmp_path: Path) -> None:
    """Of ten runs that claim one name, one works; when it has ended the name is free again."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        runs = [await start(flows.mutex, "a") for _ in range(10)]
        owner = await held(app, "lock a")
        others = [run for run in runs if run.run_id != owner]
        assert {await run.result(60) for run in others} == {"busy"}
        clock.advance(3601)
        assert await get_run(owner).result(60) == "done"
        again = await start(flows.mutex, "a")
        assert await held(app, "lock a") == again.run_id
        clock.advance(3601)
        assert await again.result(60) == "done"

    serve(make_world, tmp_path, FLOWS, play)


def test_duplicate_adopts_the_owners_result(make_world: MakeWorld, tmp_path: Path) -> None:
    """The duplicate waits, in a step, for the run that holds the order, and returns the same."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        first = await start(flows.adopts, "o-1")
        await held(app, "order o-1")
        second = await start(flows.adopts, "o-1")

        async def waits() -> bool:
            return "step_created" in (await Events.of(app.world, second.run_id)).types()

        await until(app.world, waits)
        await resume_hook("order o-1", "care")
        assert await second.result(60) == await first.result(60) == "made with care"

    serve(make_world, tmp_path, FLOWS, play)


def test_duplicate_forwards_its_payload_to_the_owner(make_world: MakeWorld, tmp_path: Path) -> None:
    """What the duplicate came with reaches the run that holds the order."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        first = await start(flows.forwards, "o-1", "one")
        await held(app, "order o-1")
        second = await start(flows.forwards, "o-1", "two")
        assert await second.result(60) == f"forwarded to {first.run_id}"
        assert await first.result(60) == "one two"

    serve(make_world, tmp_path, FLOWS, play)


def test_duplicate_cancels_the_owner_and_takes_over(make_world: MakeWorld, tmp_path: Path) -> None:
    """The newest run wins: the one before is cancelled, and its token goes over."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        first = await start(flows.takes_over, "a")
        await held(app, "latest a")
        second = await start(flows.takes_over, "a")
        with pytest.raises(WorkflowRunCancelledError, match="takes over"):
            await first.result(60)

        async def over() -> bool:
            return await held(app, "latest a") == second.run_id

        await until(app.world, over)
        await resume_hook("latest a", "mine")
        assert await second.result(60) == "mine"

    serve(make_world, tmp_path, FLOWS, play)


def test_resume_or_start(make_world: MakeWorld, tmp_path: Path) -> None:
    """Whoever comes first starts the run, all others reach it: nothing is lost or done twice."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        async def message(text: str) -> Run[str] | None:
            try:
                await resume_hook("order o-1", text)
            except HookNotFoundError:
                run: Run[str] = await start(flows.forwards, "o-1", text)
                return run
            return None

        first = await message("one")
        assert first is not None
        await held(app, "order o-1")
        assert await message("two") is None
        assert await first.result(60) == "one two"
        racing = [run for run in await asyncio.gather(*map(message, "ab")) if run is not None]
        results = [await run.result(60) for run in racing]
        owners = [text for text in results if not text.startswith("forwarded")]
        assert owners in (["a b"], ["b a"])

    serve(make_world, tmp_path, FLOWS, play)


def test_dispose_and_reuse_while_running(make_world: MakeWorld, tmp_path: Path) -> None:
    """A token that a run has disposed is free for others, while that run goes on."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        first = await start(flows.holds_then_frees, "t")
        await held(app, "t")
        await resume_hook("t", "one")
        assert await held(app, "second") == first.run_id
        second = await start(flows.registers, "t")
        assert await held(app, "t") == second.run_id
        await resume_hook("t", "other")
        assert await second.result(60) == "other"
        await resume_hook("second", " two")
        assert await first.result(60) == "one two"

    serve(make_world, tmp_path, FLOWS, play)


@pytest.mark.fault("C8")
def test_the_same_run_creates_a_token_again_after_dispose(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    """Three times one token, one after the other; each time it is open and gets its payload."""

    async def play(app: Application, flows: Any, clock: VirtualClock) -> None:
        run = await start(flows.disposes, "t")
        seen: set[str] = set()
        for text in ("a", "b", "c"):

            async def fresh() -> str | None:
                try:
                    hook = await get_hook_by_token("t")
                except HookNotFoundError:
                    return None
                return hook.hook_id if hook.hook_id not in seen else None

            seen.add(await until(app.world, fresh))
            await resume_hook("t", text)
        assert await run.result(60) == ["a", "b", "c"]
        log = await Events.of(app.world, run.run_id)
        assert log.types().count("hook_created") == 3
        assert "hook_conflict" not in log.types()

    serve(make_world, tmp_path, FLOWS, play)

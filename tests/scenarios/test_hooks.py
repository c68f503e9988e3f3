"""Hooks: payloads by token, conflicts and what runs make of them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.scenarios.stage import Service, Stage, on
from workflow.api import get_hook_by_token, get_run, resume_hook, with_options
from workflow.errors import HookNotFoundError
from workflow.world.records import HookRecord


@pytest.mark.scenario("hookWorkflow")
def test_hook_workflow(service: Service) -> None:
    """Three payloads by token, metadata for whoever looks; a token nobody has is an error."""

    async def work(stage: Stage) -> None:
        run = await stage.start("hooks.hook_workflow", "h-1")
        hook = await stage.hook("h-1")
        assert hook.run_id == run.run_id
        for payload in ("one", {"two": 2}, None):
            await resume_hook("h-1", payload)
        assert await stage.result(run) == ["one", {"two": 2}, None]
        for token in ("h-1", "nobody has this"):
            with pytest.raises(HookNotFoundError):
                await resume_hook(token, "too late")

    on(service, work)


@pytest.mark.scenario("hookWorkflow: not resumable on the public route")
def test_plain_hooks_are_not_public(service: Service) -> None:
    """Over the webhook route a hook is not found; from the server's side it is."""

    async def work(stage: Stage) -> Any:
        run = await stage.start("hooks.one_payload", "h-2")
        await stage.hook("h-2")
        answer = await stage.client.post("/.well-known/workflow/v1/webhook/h-2", json="public")
        assert answer.status_code == 404
        await resume_hook("h-2", "private")
        return await stage.result(run)

    assert on(service, work) == "private"


@pytest.mark.scenario("hook cleanup: token reuse after completion")
def test_token_reuse_after_completion(service: Service) -> None:
    """The end of a run frees its tokens."""

    async def work(stage: Stage) -> list[Any]:
        found = []
        for n in range(2):
            run = await stage.start("hooks.one_payload", "h-3")
            assert (await stage.hook("h-3")).run_id == run.run_id
            await resume_hook("h-3", n)
            found.append(await stage.result(run))
        return found

    assert on(service, work) == [0, 1]


async def _owned(stage: Stage, workflow: str, token: str, *args: Any) -> Any:
    """A run that holds the token."""
    run = await stage.start(workflow, token, *args)
    assert (await stage.hook(token)).run_id == run.run_id
    return run


@pytest.mark.scenario("concurrent token conflict")
def test_concurrent_token_conflict(service: Service) -> None:
    """The second run is told who has the token."""

    async def work(stage: Stage) -> None:
        owner = await _owned(stage, "hooks.concurrent", "h-4")
        other = await stage.start("hooks.concurrent", "h-4")
        assert await stage.result(other) == {"conflict": owner.run_id}
        await resume_hook("h-4", "mine")
        assert await stage.result(owner) == {"payload": "mine"}

    on(service, work)


@pytest.mark.scenario("hook dispose: token reuse while running")
def test_dispose_frees_the_token(service: Service) -> None:
    """Once disposed, another run may have the token, though the first still runs."""

    async def work(stage: Stage) -> None:
        first = await _owned(stage, "hooks.dispose_and_wait", "h-5", "h-5b")
        await resume_hook("h-5", "for the first")
        await stage.hook("h-5b")
        second = await _owned(stage, "hooks.one_payload", "h-5")
        await resume_hook("h-5", "for the second")
        assert await stage.result(second) == "for the second"
        await resume_hook("h-5b", "end")
        assert await stage.result(first) == ["for the first", "end"]

    on(service, work)


@pytest.mark.scenario("same run makes a token again after dispose")
def test_again_after_dispose(service: Service) -> None:
    """A run may use its own token three times over."""

    async def work(stage: Stage) -> Any:
        run = await stage.start("hooks.again_after_dispose", "h-6")
        seen: set[str] = set()
        for n in range(3):

            async def fresh() -> HookRecord | None:
                hook = await stage.world.get_hook("h-6")
                return hook if hook is not None and hook.hook_id not in seen else None

            seen.add((await stage.until(fresh)).hook_id)
            await resume_hook("h-6", n)
        return await stage.result(run)

    assert on(service, work) == [0, 1, 2]


@pytest.mark.scenario("getConflict registers without a payload")
def test_get_conflict_registers(service: Service) -> None:
    """Asking for the conflict opens the hook; nobody needs to send anything."""

    async def work(stage: Stage) -> None:
        run = await stage.start("hooks.conflict_only", "h-7")
        assert await stage.result(run) is None
        types = await stage.types(run)
        assert "hook_created" in types
        assert "hook_received" not in types

    on(service, work)


@pytest.mark.scenario("getConflict does not block steps before, beside or after it")
def test_get_conflict_beside_steps(service: Service) -> None:
    """Steps go on around the question."""

    async def work(stage: Stage) -> Any:
        run = await _owned(stage, "hooks.conflict_beside_steps", "h-8")
        await resume_hook("h-8", "payload")
        return await stage.result(run)

    assert on(service, work) == ["before", "beside", "after", None, "payload"]


@pytest.mark.scenario("getConflict resolves to the owner")
def test_get_conflict_names_the_owner(service: Service) -> None:
    """The id of the run that holds the token."""

    async def work(stage: Stage) -> None:
        owner = await _owned(stage, "hooks.one_payload", "h-9")
        assert await stage.run("hooks.conflict_only", "h-9") == owner.run_id
        await resume_hook("h-9", None)
        await stage.result(owner)

    on(service, work)


@pytest.mark.scenario("claim-only mutex")
def test_mutex(service: Service) -> None:
    """Only one run holds the claim; the next may have it afterwards."""

    async def work(stage: Stage) -> None:
        first = await stage.start("hooks.mutex", "h-10", "h-10a")
        await stage.hook("h-10a")
        assert await stage.run("hooks.mutex", "h-10", "h-10b") == "taken"
        await resume_hook("h-10a", "now")
        assert await stage.result(first) == "held until now"
        third = await stage.start("hooks.mutex", "h-10", "h-10c")
        await stage.hook("h-10c")
        await resume_hook("h-10c", "later")
        assert await stage.result(third) == "held until later"

    on(service, work)


@pytest.mark.scenario("duplicate adopts the owner's result")
def test_adopt(service: Service) -> None:
    """A duplicate waits for the run that came first, and gives the same result."""

    async def work(stage: Stage) -> None:
        owner = await _owned(stage, "hooks.adopt", "h-11")
        duplicate = await stage.start("hooks.adopt", "h-11")
        await resume_hook("h-11", 42)
        assert await stage.result(owner) == {"paid": 42}
        assert await stage.result(duplicate) == {"owner": owner.run_id, "result": {"paid": 42}}

    on(service, work)


@pytest.mark.scenario("duplicate forwards its payload to the owner", "resume-or-start")
def test_forward(service: Service) -> None:
    """Whoever comes later hands what it has to the run that is there, or is that run itself."""

    async def work(stage: Stage) -> None:
        owner = await _owned(stage, "hooks.gather_payloads", "h-12", "a", 3)
        for payload in "bc":
            assert await stage.run("hooks.gather_payloads", "h-12", payload, 3) == "forwarded"
        assert await stage.result(owner) == ["a", "b", "c"]

    on(service, work)


@pytest.mark.scenario("resume-or-start")
def test_resume_or_start(service: Service) -> None:
    """From outside: twenty callers at once start one run, and none of their payloads is lost."""

    async def work(stage: Stage) -> Any:
        async def deliver(n: int) -> str:
            starter = with_options(idempotency_key="h-13")
            workflow = "workflow//flows/hooks.py//gather_payloads"
            run = await starter.start(workflow, token="h-13", payload="first", wanted=21)
            await stage.hook("h-13")
            await resume_hook("h-13", n)
            return run.run_id

        (run_id,) = set(await asyncio.gather(*(deliver(n) for n in range(20))))
        return await stage.result(get_run(run_id))

    first, *others = on(service, work)
    assert first == "first"
    assert sorted(others) == list(range(20))


@pytest.mark.scenario("duplicate cancels the owner and takes over")
def test_take_over(service: Service) -> None:
    """The newcomer ends the owner and has the token."""

    async def work(stage: Stage) -> None:
        owner = await _owned(stage, "hooks.take_over", "h-14")
        heir = await stage.start("hooks.take_over", "h-14")

        async def inherited() -> bool:
            hook = await stage.world.get_hook("h-14")
            return hook is not None and hook.run_id == heir.run_id

        await stage.until(inherited)
        await resume_hook("h-14", "for the heir")
        assert await stage.result(heir) == "for the heir"
        assert await owner.status == "cancelled"
        assert "somebody else took over" in (await stage.outcome(owner))["message"]

    on(service, work)


@pytest.mark.scenario("plain-module hook from a plain route")
def test_from_a_route(service: Service) -> None:
    """A route of the application that knows nothing but the token resumes the run."""

    async def work(stage: Stage) -> Any:
        run = await _owned(stage, "hooks.one_payload", "h-15")
        assert (await get_hook_by_token("h-15")).run_id == run.run_id
        answer = await stage.client.post("/hooks/h-15", json={"from": "a route"})
        assert answer.json() == {"run_id": run.run_id}
        return await stage.result(run)

    assert on(service, work) == {"from": "a route"}

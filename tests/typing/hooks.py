"""Hooks and steps as type checkers see them. Checked by mypy and pyright strict, never run."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal, assert_type

import flask
import starlette.requests
from pydantic import BaseModel, Field, TypeAdapter
from typing_extensions import TypedDict

from workflow import (
    Backoff,
    Hook,
    HookDefinition,
    Request,
    Response,
    create_hook,
    create_webhook,
    define_hook,
    fetch,
    sleep,
    step_options,
)
from workflow.api import (
    HookPage,
    HookRecord,
    get_hook_by_token,
    get_hooks,
    list_hooks,
    resume_hook,
    resume_webhook,
)


class Approval(BaseModel):
    """A payload."""

    approved: bool


class Note(TypedDict):
    """A payload that is a dictionary."""

    text: str


class Other(BaseModel):
    """Another one."""

    text: str


approvals = define_hook(Approval)
assert_type(approvals, HookDefinition[Approval])


def in_a_thread(count: int) -> str:
    """A step that is a plain function."""
    "use step"
    return "a" * count


@step_options(timeout="30s", run_in="process")
def in_a_process(count: int, *, loud: bool = False) -> str:
    """Options change nothing of a plain function's signature."""
    "use step"
    return "a" * count


@step_options(max_retries=3, backoff=0)
async def named(kind: Literal["a", "b"], *counts: int) -> list[int]:
    "use step"
    return list(counts)


@step_options(max_retries="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
async def badly_set() -> None:
    "use step"


@step_options(run_in="thread")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
def nowhere() -> None:
    "use step"


@step_options(backoff=Backoff(initial="1s", factor=3, max=timedelta(minutes=5), jitter=0.5))
async def patient(kind: str) -> str:
    "use step"
    return kind


# A function has no such attributes for a type checker: the decorator is the form for those who use
# one. Both work.
patient.max_retries = 5  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]


async def flow(document: str) -> str:
    """In a workflow."""
    "use workflow"
    assert_type(await named("a", 1, 2), list[int])
    await named("c")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await named("a", "1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await named()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    assert_type(in_a_process(3, loud=True), str)
    in_a_process(3, True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    # Awaited in a workflow, a plain step gives its result; no type can say so and be true outside.
    await in_a_thread(3)  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    in_a_thread("3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await sleep([1])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    hook = approvals.create(token=f"approval:{document}", timeout="1 day")
    assert_type(hook, Hook[Approval])
    assert_type((await hook).approved, bool)
    print((await hook).comment)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
    async for payload in hook:
        assert_type(payload, Approval)
    assert_type(await hook.get_conflict(), str | None)
    async with create_hook(Other) as other:
        assert_type(await other, Other)
    even: TypeAdapter[int] = TypeAdapter(Annotated[int, Field(multiple_of=2)])
    assert_type(create_hook(even), Hook[int])
    assert_type(define_hook(even).create(), Hook[int])
    assert_type(await create_hook(Note, metadata={"a": 1}, timeout=timedelta(days=1)), Note)
    assert_type(hook.dispose(), None)
    create_hook(timeout=[])  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    create_hook(Other, token=5)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]

    webhook = create_webhook(respond_with=Response.json({"ok": True}))
    assert_type(Response.json([], 201, {"x-a": "b"}), Response)
    assert_type(await Response("[]").json(), Any)
    Response.json({}, "201")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Response.json({}, code=201)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    assert_type(webhook.url, str)
    async for request in webhook:
        assert_type(request, Request)
        await request.respond_with(Response("ok"))
        await request.respond_with("ok")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    create_webhook(method="POST")
    create_webhook(method=["GET", "POST"])
    create_webhook(method=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    create_webhook(respond_with="automatic")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    answer = await fetch("https://example.com/", json={"a": 1}, timeout="10s")
    assert_type(answer, Response)
    assert_type(await answer.text(), str)
    assert_type(await fetch(Request("PUT"), headers=[("a", "b")], redirect="manual"), Response)
    await fetch("https://example.com/", content=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await fetch("https://example.com/", redirect=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await fetch(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    return document


async def outside() -> None:
    """In the application."""
    await approvals.resume("t", Approval(approved=True))
    await define_hook(Note).resume("t", {"text": "a"})
    await define_hook(Note).resume("t", {"txt": "a"})  # type: ignore[typeddict-item]  # pyright: ignore[reportArgumentType]
    await approvals.resume("t", Other(text="no"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await approvals.resume("t", {"approved": True})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert_type(await resume_hook("t", {"any": "thing"}), HookRecord)
    await resume_hook(5)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    found = await get_hook_by_token("t")
    assert_type(found.run_id, str)
    assert_type(await resume_hook(found, 1), HookRecord)
    assert_type(await approvals.resume(found, Approval(approved=True)), HookRecord)
    assert_type([hook async for hook in list_hooks(run="wrun_1")], list[HookRecord])
    assert_type(await get_hooks(token_prefix="t:", limit=5), HookPage)
    await get_hooks(run=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    list_hooks(prefix="t:")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    assert_type(await resume_webhook("t", Request("POST")), Response)
    assert_type(await resume_webhook("t", starlette.requests.Request({})), Response)
    assert_type(await resume_webhook("t", flask.request), Response)
    await resume_webhook("t", "POST")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert_type(await resume_hook("t", Approval(approved=True), of=approvals), HookRecord)
    await resume_hook("t", Other(text="a"), of=approvals)  # type: ignore[misc]  # pyright: ignore[reportArgumentType]
    assert_type(define_hook(dict[str, Any]), HookDefinition[dict[str, Any]])

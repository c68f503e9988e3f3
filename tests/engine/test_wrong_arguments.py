"""Arguments of wrong types: each is refused where it is given, in words that name it."""

from __future__ import annotations

import asyncio
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flask
import pytest

import workflow
import workflow.api
from tests.project import build, loaded
from workflow.engine import Application
from workflow.worlds import memory

# As whoever uses no type checker sees them.
authoring: Any = workflow
api: Any = workflow.api

# In a body: what is written there, and how the error begins.
IN_A_BODY = {
    "sleep(None)": "ValueError: sleep(): None is not a duration",
    "create_hook(token=5)": "ValueError: a hook's token is text of 1 to 512 characters, not 5",
    "create_hook(timeout='x')": "ValueError: timeout= of create_hook(): 'x' is not a duration",
    "create_webhook(timeout='x')": "ValueError: timeout= of create_webhook(): 'x' is not",
    "create_webhook(respond_with='auto')": (
        """TypeError: respond_with= is a Response, "manual", or None for a plain 202, not """
        "'auto'. See `wfc explain webhook-invalid-respond-with-value`"
    ),
    "create_webhook(respond_with={'a': 1})": "TypeError: respond_with= is a Response, ",
    "pending_action('a', options=5)": "ValueError: options= are different texts",
    "pending_action('a', timeout='x')": "ValueError: timeout= of pending_action(): 'x' is not",
    "set_attributes(None)": "TypeError: attributes are a dict of names and texts such as ",
    "set_attributes(['a'])": "TypeError: attributes are a dict of names and texts such as ",
    "set_attributes({'a': 1})": "TypeError: attribute 'a' must be text or None, not",
    "get_writable(namespace=5)": "TypeError: namespace= of get_writable() is text, not int",
    "fetch('http://localhost:1/', content=5)": "TypeError: content= of fetch() is bytes or text",
    "with_options(attributes=['a'])": "TypeError: attributes are a dict of names and texts",
    "with_options(attributes={'a': None})": "TypeError: attribute 'a' must be text, not NoneType",
    "with_options(delay='x').start(child)": "ValueError: delay=: 'x' is not a duration",
    "with_options(deadline='x').start(child)": "ValueError: deadline=: 'x' is not a duration",
    "start(made())": (
        "TypeError: start() takes a workflow and then its arguments: start(child, ...), not "
        "start(child(...))"
    ),
    "Request('GET').respond_with('yes')": (
        "TypeError: respond_with() takes a Response of workflow, not str. Response(text, status) "
        "and Response.json(value) make one"
    ),
    "cancelled(5)": "TypeError: reason= is text, not int",
    "awaited('x')": "ValueError: timeout= of run.result(): 'x' is not a duration",
    "awaited(0.01)": "WorkflowRunNotCompletedError: wrun_* did not end within 0.01 s; it goes on",
    "conflict()": (
        "HookConflictError: the token 'mine' is already in use by another hook of this run. "
        "Dispose of that one first"
    ),
    "Request('POST', body='x').form()": (
        "ValueError: a body whose headers have no content-type cannot be read as a form"
    ),
}
FLOWS = """
    import inspect
    from typing import Any

    from workflow import (
        Request, create_hook, create_webhook, fetch, get_writable, pending_action, set_attributes,
        sleep,
    )
    from workflow.api import start, with_options

    async def child() -> int:
        "use workflow"
        await sleep("1 day")
        return 1

    def made() -> Any:
        called = child
        return called()

    async def cancelled(reason: Any) -> None:
        await (await start(child)).cancel(reason)

    async def awaited(timeout: Any) -> None:
        await (await start(child)).result(timeout)

    async def conflict() -> None:
        create_hook(token="mine", timeout="1s")
        await create_hook(token="mine", timeout="1s")

    async def wrong(what: str) -> str:
        "use workflow"
        x: Any = str("x")
        try:
            match what:
{cases}
            found: Any = given
            if not hasattr(found, "send"):
                return f"taken: {{what}}"
            await found
        except Exception as error:
            return f"{{type(error).__name__}}: {{error}}"
        return f"went through: {{what}}"
"""


def _computed(what: str) -> str:
    """The call with a text that the build cannot know: it finds written ones itself."""
    return what.replace("'x'", "x")


CASES = "".join(
    f"                case {what!r}:\n                    given: Any = {_computed(what)}\n"
    for what in IN_A_BODY
)
# Elsewhere: the call, and how the error begins. `run` is open, and has not begun.
OUTSIDE: list[tuple[Callable[[Any, Any], Any], str]] = [
    (
        lambda flows, run: api.start(flows.child()),
        "TypeError: start() takes a workflow and then its",
    ),
    (
        lambda flows, run: api.with_options(attributes="ab").start(flows.child),
        "TypeError: attributes are a dict of names",
    ),
    (
        lambda flows, run: api.with_options(attributes={"a": None}).start(flows.child),
        "TypeError: attribute 'a' must be",
    ),
    (
        lambda flows, run: api.with_options(delay="x").start(flows.child),
        "ValueError: delay=: 'x' is",
    ),
    (
        lambda flows, run: api.get_run(5).status,
        "TypeError: get_run() takes the id of a run, which is",
    ),
    (
        lambda flows, run: api.with_options(idempotency_key="k" * 1025).start(flows.child),
        "ValueError: an idempotency key has up to 1,024 bytes as UTF-8. Of a longer text give a",
    ),
    (
        lambda flows, run: api.with_options(idempotency_key="\u20ac" * 342).start(flows.child),
        "ValueError: an idempotency key has up to 1,024 bytes",
    ),
    (lambda flows, run: run.result("x"), "ValueError: timeout= of run.result(): 'x' is not a"),
    (lambda flows, run: run.cancel(5), "TypeError: reason= is text, not int"),
    (lambda flows, run: run.terminate(None), "TypeError: reason= is text, not NoneType"),
    (lambda flows, run: run.cancel("\ud800"), "ValueError: reason= is text without U+0000 and"),
    (lambda flows, run: run.get_readable(namespace=5), "TypeError: namespace= is text, not int"),
    (lambda flows, run: run.get_readable("log"), "TypeError: get_readable() takes a type; the str"),
    (lambda flows, run: run.get_readable(start_index=True), "TypeError: start_index= is a whole n"),
    (lambda flows, run: run.get_readable(start_index="1"), "TypeError: start_index= is a whole"),
    (
        lambda flows, run: api.resume_hook(5, 1),
        "TypeError: resume_hook() takes the token of a hook",
    ),
    (
        lambda flows, run: api.resume_webhook(None, authoring.Request()),
        "TypeError: resume_webhook() takes the",
    ),
    (
        lambda flows, run: api.resume_webhook("a", 5),
        "TypeError: resume_webhook() takes a workflow.Re",
    ),
    (lambda flows, run: api.get_hook_by_token(5), "TypeError: get_hook_by_token() takes the token"),
    (lambda flows, run: anext(api.list_runs(attributes={"a": 1})), "TypeError: attribute 'a' must"),
    (
        lambda flows, run: anext(api.list_runs(attributes=["a"])),
        "TypeError: attributes= are a dict",
    ),
    (
        lambda flows, run: anext(api.list_runs(parent=5)),
        "TypeError: parent= is a run or its id, not",
    ),
    (
        lambda flows, run: api.set_world(5),
        "TypeError: set_world() takes a world such as create_local",
    ),
    (
        lambda flows, run: api.with_workflow(5),
        "TypeError: with_workflow() takes an ASGI application",
    ),
    (
        lambda flows, run: authoring.get_writable("log"),
        "TypeError: get_writable() takes a type; the stream's",
    ),
    (lambda flows, run: api.start(flows.wrong, ...), "SerializationError: args.what: builtins.ell"),
    (
        lambda flows, run: authoring.create_hook(token="a"),
        "ContextError: create_hook() works in a workflow",
    ),
    (
        lambda flows, run: authoring.Headers({"a": 1}),
        "TypeError: the value of a header is text, not 1",
    ),
    (
        lambda flows, run: authoring.Headers({1: "a"}),
        "TypeError: the name of a header is text, not 1",
    ),
    (
        lambda flows, run: authoring.Headers("a: b"),
        "TypeError: headers and parameters are a dict or pairs",
    ),
    (
        lambda flows, run: authoring.Headers(5),
        "TypeError: headers and parameters are a dict or pairs",
    ),
    (
        lambda flows, run: authoring.URLSearchParams(5),
        "TypeError: headers and parameters are a dict or",
    ),
    (
        lambda flows, run: authoring.URLSearchParams(["ab", "c"]),
        "TypeError: headers and parameters are a",
    ),
    (lambda flows, run: authoring.Request(5), "TypeError: a method is text such as 'GET', not int"),
    (
        lambda flows, run: authoring.Request("POST", body={"a": 1}),
        "TypeError: a body is bytes or text, not",
    ),
    (
        lambda flows, run: authoring.Response("a", status="200"),
        "ValueError: '200' is not an HTTP status",
    ),
]


async def said(call: Callable[[], Any]) -> str:
    """The error of a call, awaited if it can be, as text."""
    try:
        given = call()
        if hasattr(type(given), "__await__"):
            given = await given
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return f"taken: {given!r}"


def test_wrong_arguments_are_named(tmp_path: Path) -> None:
    """In a body and outside, before anything is recorded or tried again."""
    project = build(tmp_path, FLOWS.format(cases=CASES))
    flows = loaded(tmp_path)

    async def main() -> None:
        async with Application(memory.create(), project):
            runs = {what: await api.start(flows.wrong, what) for what in IN_A_BODY}
            texts = {what: await run.result(60) for what, run in runs.items()}
            texts = {what: re.sub(r"wrun_\w+", "wrun_*", text) for what, text in texts.items()}
            assert {
                what: text for what, text in texts.items() if not text.startswith(IN_A_BODY[what])
            } == {}
            run = await api.with_options(delay="1h").start(flows.child)
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # a coroutine that nobody awaits would be one
                texts = {
                    wanted: await said(lambda call=call: call(flows, run))  # type: ignore[misc]
                    for call, wanted in OUTSIDE
                }
            assert {
                wanted: text for wanted, text in texts.items() if not text.startswith(wanted)
            } == {}
            assert await run.status == "pending"

    asyncio.run(main())


def test_an_application_of_flask_is_no_asgi_application() -> None:
    """It is recognised when it is given, and the text says what it can do instead."""
    with pytest.raises(TypeError, match=r"not a WSGI application\..*workflow\.sync.*`wfc worker`"):
        api.with_workflow(flask.Flask("shop"))

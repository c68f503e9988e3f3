"""Every error of the runtime has a page, and what the pages tell users to write works."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import wfc
from tests.project import build, loaded, until
from wfc.cli import main
from wfc.runtime_errors import Trouble, markdown, troubles
from workflow import errors
from workflow.api import get_world, resume_webhook, start
from workflow.engine import Application, Project
from workflow.errors import (
    WebhookError,
    WorkflowNotRegisteredError,
    WorkflowRunFailedError,
)
from workflow.web import Request
from workflow.worlds import memory

CLASSES = {
    name: thing
    for name, thing in vars(errors).items()
    if isinstance(thing, type) and issubclass(thing, errors.WorkflowError)
}
NAMES = [
    "fetch-in-workflow",
    "module-in-workflow",
    "serialization-failed",
    "start-invalid-workflow-function",
    "webhook-invalid-respond-with-value",
    "webhook-response-not-sent",
]
ENDS = ["user-error", "crash-loop"]
"""Codes of failed runs that no class of ours has."""


def samples(code: str) -> tuple[str, str]:
    """What a page shows: what goes wrong, and what to write."""
    bad, good = re.findall(r"```python\n(.*?)```", troubles()[code].body, re.S)
    return bad, good


def test_every_class_has_a_code_and_a_page_of_its_own() -> None:
    """No class without a page, no page without a class, but for the situations with names."""
    assert set(CLASSES) == set(errors.__all__)
    codes = [thing.code for thing in CLASSES.values() if "code" in vars(thing)]
    assert len(codes) == len(set(codes)) == len(CLASSES)
    assert {one.code: one.raised for one in troubles().values()} == {
        **{thing.code: name for name, thing in CLASSES.items()},
        **dict.fromkeys([*NAMES, *ENDS], ""),
    }


@pytest.mark.parametrize("trouble", troubles().values(), ids=list(troubles()))
def test_a_page_says_what_why_and_what_to_do(trouble: Trouble) -> None:
    """One sentence, and at least two paragraphs; `wfc explain` prints it by code and by class."""
    assert trouble.title.endswith(".")
    assert len(trouble.body.split("\n\n")) >= 2
    for name in filter(None, (trouble.code, trouble.raised, trouble.code.upper())):
        printed = CliRunner().invoke(main, ["explain", name])
        assert printed.exit_code == 0, printed.output
        assert printed.output.startswith(trouble.code)
        assert trouble.title in printed.output
        assert "](" not in printed.output
    shown = CliRunner().invoke(main, ["explain", trouble.code, "--format", "markdown"])
    assert shown.output == markdown(trouble)


def test_codes_of_errors_are_listed_and_suggested() -> None:
    """`wfc explain` alone has them, and a code with a slip leads to the right one."""
    listed = CliRunner().invoke(main, ["explain"]).output
    for code in troubles():
        assert f"\n{code} " in listed
    assert (
        "did you mean hook-conflict?"
        in CliRunner().invoke(main, ["explain", "hok-conflict"]).output
    )


@pytest.mark.parametrize("code", NAMES)
def test_what_a_page_tells_to_write_is_built(code: str, tmp_path: Path) -> None:
    """The second sample of each page gives no finding."""
    (tmp_path / "flows.py").write_text(samples(code)[1])
    result = wfc.build(tmp_path)
    assert not result.diagnostics, [str(d) for d in result.diagnostics]


@pytest.mark.parametrize("code", ["fetch-in-workflow", "module-in-workflow"])
def test_the_build_finds_the_mistake_that_a_page_shows(code: str, tmp_path: Path) -> None:
    """The finding is one of those that the page links to."""
    (tmp_path / "flows.py").write_text(samples(code)[0])
    found = {finding.code for finding in wfc.build(tmp_path).diagnostics}
    assert found
    assert found <= set(re.findall(r"\[(WF\d+)\]", troubles()[code].body))


def test_a_lambda_is_refused_as_the_page_says(tmp_path: Path) -> None:
    """serialization-failed: the build refuses the first sample; the second runs."""
    bad, good = (folder_of(tmp_path, name) for name in ("bad", "good"))
    (bad / "flows.py").write_text(samples("serialization-failed")[0])
    assert [d.code for d in wfc.build(bad).diagnostics] == ["WF901"]
    project = build(good, samples("serialization-failed")[1])

    async def main() -> None:
        async with Application(memory.create(), project):
            await (await start(loaded(good).flow)).result(60)

    asyncio.run(main())


def test_start_refuses_a_function_without_a_directive(tmp_path: Path) -> None:
    """start-invalid-workflow-function: the first sample raises, the second starts."""
    bad, good = (folder_of(tmp_path, name) for name in ("bad", "good"))
    workflow = 'async def other() -> None:\n    "use workflow"\n'
    first = build(bad, samples("start-invalid-workflow-function")[0] + workflow)
    second = build(good, samples("start-invalid-workflow-function")[1])

    async def place(project: Project, folder: Path) -> None:
        async with Application(memory.create(), project):
            await loaded(folder).place()

    asyncio.run(place(second, good))
    with pytest.raises(WorkflowNotRegisteredError, match='"use workflow"'):
        asyncio.run(place(first, bad))


def test_a_wrong_response_of_a_webhook_fails_the_run(tmp_path: Path) -> None:
    """webhook-invalid-respond-with-value: the first sample ends with a TypeError that helps."""
    project = build(tmp_path, samples("webhook-invalid-respond-with-value")[0])

    async def main() -> None:
        async with Application(memory.create(), project):
            with pytest.raises(WorkflowRunFailedError, match="respond_with= is a Response"):
                await (await start(loaded(tmp_path).flow)).result(60)

    asyncio.run(main())


@pytest.mark.parametrize("sample", [0, 1], ids=["instead of", "write"])
def test_a_webhook_that_is_not_answered(sample: int, tmp_path: Path) -> None:
    """webhook-response-not-sent: the first sample leaves a caller alone, the second does not."""
    source = samples("webhook-response-not-sent")[sample]
    project = build(tmp_path, source.replace('"manual"', '"manual", token="t"'))

    async def post(body: bytes) -> int:
        async with Application(memory.create(), project):
            run = await start(loaded(tmp_path).flow)
            await until(get_world(), lambda: get_world().get_hook("t"), what="the webhook")
            response = await resume_webhook("t", Request("POST", "http://test/", body=body))
            await run.result(60)
            return response.status

    assert asyncio.run(post(b'{"valid": true}')) == 200
    if sample:
        assert asyncio.run(post(b'{"valid": false}')) == 200
        assert asyncio.run(post(b"?")) == 400
    else:
        with pytest.raises(WebhookError, match="without answering"):
            asyncio.run(post(b'{"valid": false}'))


def folder_of(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name

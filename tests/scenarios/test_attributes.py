"""Attributes of runs: kept, merged, found again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenarios.stage import Service, Stage, on
from workflow.api import list_runs


@pytest.mark.scenario("setAttributes: initial")
def test_initial(service: Service) -> None:
    """Attributes of the start belong to the run, and it is found by them."""

    async def work(stage: Stage) -> None:
        run = await stage.start(
            "control.add_ten", 1, options={"attributes": {"customer": "c-42", "kind": "a"}}
        )
        await stage.result(run)
        assert await run.attributes == {"customer": "c-42", "kind": "a"}
        found = [r.run_id async for r in list_runs(attributes={"customer": "c-42"})]
        assert found == [run.run_id]

    on(service, work)


@pytest.mark.scenario(
    "setAttributes: merge in the body",
    "setAttributes: in a step",
    "setAttributes: parallel",
)
@pytest.mark.parametrize(
    ("name", "expected", "from_body"),
    [
        ("merge", {"stage": "two", "last": "three"}, 3),
        ("in_step", {"stage": "from a step"}, 0),
        (
            "parallel",
            {f"{kind}{n}": str(n) for kind in ("key", "step") for n in range(5)},
            5,
        ),
    ],
)
def test_set(service: Service, name: str, expected: dict[str, str], from_body: int) -> None:
    """Each change is one event; together they are merged, and None removes."""

    async def work(stage: Stage) -> None:
        run = await stage.start(f"attributes.{name}")
        await stage.result(run)
        assert await run.attributes == expected
        assert (await stage.types(run)).count("attr_set") >= from_body

    on(service, work)


@pytest.mark.scenario("setAttributes: kept on failure")
def test_kept_on_failure(service: Service) -> None:
    """A run that fails keeps what it has said about itself."""

    async def work(stage: Stage) -> dict[str, str]:
        run = await stage.start("attributes.fails")
        assert (await stage.outcome(run))["cause"] == "ValueError"
        return await run.attributes

    assert on(service, work) == {"stage": "before the end"}


@pytest.mark.scenario("setAttributes: validation messages", "setAttributes: reserved names")
def test_messages(service: Service) -> None:
    """What is wrong with an attribute is said in the body, which may go on."""
    found = on(service, lambda stage: stage.run("attributes.messages"))
    assert [text.partition(":")[0] for text in found] == [
        "ValueError", "TypeError", "ValueError", "ValueError", "ValueError"
    ]  # fmt: skip
    empty, number, long, many, reserved = found
    assert "1 to 256 characters" in empty
    assert "must be text or None, not int" in number
    assert "longer than 256 bytes" in long
    assert "at most 64 attributes, not 65" in many
    assert "'$mine'" in reserved


@pytest.mark.scenario(
    "setAttributes: invalid initial ones are refused before the run exists",
    "setAttributes: reserved names",
)
@pytest.mark.parametrize("attributes", [{"a": "x" * 257}, {"": "a"}, {"a": 1}, {"$a": "b"}])
def test_invalid_initial(service: Service, attributes: dict[str, Any]) -> None:
    """The start is refused, and there is no run."""

    async def work(stage: Stage) -> None:
        options = {"attributes": attributes, "run_id": "wrun_never"}
        answer = await stage.post("control.add_ten", 1, options=options)
        assert answer.status_code == 400, answer.text
        assert await stage.world.get_run("wrun_never") is None

    on(service, work)

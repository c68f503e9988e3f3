"""Functions, classes, instances and runs as values."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenarios.stage import Service, on

CASES: dict[str, tuple[tuple[Any, ...], Any]] = {
    "step_function_passing": ((), 42),
    "step_function_passing_with_closure": ((4,), 23),
    "closure_variable": ((["ada", "bob"],), ["hello ada!", "hello bob!"]),
    "step_as_argument": ((), 8),
    "Basket.fill": ((2,), [["first", "item 0", "item 1"], 3, "account of ada"]),
    "sibling_static_steps": ((), 4),
    "custom_serialization": ((100,), [100, 150, "EUR", "Money"]),
    "run_by_id": ((), 16),
    "gathered": ((), [0, 2, 4]),
}


@pytest.mark.scenario(
    "stepFunctionPassing",
    "stepFunctionPassing with closure",
    "closureVariable",
    "step reference as an argument of start",
    "static methods: workflow, and steps of another class",
    "sibling static steps",
    "`this` in static steps",
    "instance methods as steps",
    "custom serialization of instances",
    "values of classes across contexts",
    "Run as a value",
)
@pytest.mark.parametrize("name", CASES)
def test_value(service: Service, name: str) -> None:
    """The run ends with the result of the scenario."""
    args, expected = CASES[name]
    assert on(service, lambda stage: stage.run(f"values.{name}", *args)) == expected

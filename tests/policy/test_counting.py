"""Numbers of things are written as people write them."""

from __future__ import annotations

import pytest

from workflow.policy.counting import counted


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 values"), (1, "1 value"), (2, "2 values"), (1000, "1,000 values")]
)
def test_one_thing_is_not_many(number: int, text: str) -> None:
    """One has no plural; large numbers have commas."""
    assert counted(number, "value") == text

"""Which workflow a text names, and what is said when it names none."""

from __future__ import annotations

import pytest

from workflow.errors import WorkflowNotRegisteredError
from workflow.policy.names import full_id

KNOWN = ("workflow//a.py//pay", "workflow//b.py//pay", "workflow//b.py//order")
STEPS = ("step//a.py//send", "step//a.py//Cart#add")


@pytest.mark.parametrize("name", ["order", "workflow//b.py//order"])
def test_a_name_that_one_workflow_has(name: str) -> None:
    """An id is itself, a name stands for the only workflow that has it."""
    assert full_id(name, KNOWN, STEPS) == "workflow//b.py//order"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pay", "workflow 'pay' is ambiguous; give the full id:\n  workflow//a.py//pay\n  work"),
        ("oder", "Did you mean order?"),
        ("send", "'send' is a step; only workflows are started. Write a workflow that awaits it"),
        ("step//a.py//send", "'send' is a step"),
        ("Cart.add", "'Cart.add' is a step"),
    ],
)
def test_a_name_of_nothing_that_can_be_started(name: str, said: str) -> None:
    """The message says what the name is, or what there is."""
    with pytest.raises(WorkflowNotRegisteredError) as caught:
        full_id(name, KNOWN, STEPS)
    assert said in str(caught.value)

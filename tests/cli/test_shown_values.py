"""How recorded values are shown by a process that may not have the project."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from wfc.cli.show import event_json, jsonable
from workflow.codec import Codec
from workflow.codec.encryption import run_key, sealed
from workflow.codec.references import StepReference, WorkflowReference
from workflow.events import Event
from workflow.policy.arguments import with_captured

TAG = StepReference("step//shop.py//Cart#pay/tag", {"greeting": "hi"})


def shown(type: str, value: object) -> dict[str, object]:
    """An event with this payload, as `wfc inspect run --json` shows it."""
    name = "step//shop.py//Cart#add"
    return event_json(
        Event(seq=1, type=type, at=0, ref="step_1", name=name, payload=Codec().encode(value)),
        Codec(),
    )


def test_captured_variables_are_shown_beside_the_arguments() -> None:
    """A call that captured something has a field for it; other calls have none."""
    data = shown("step_created", with_captured({"n": 1}, {"word": "hi"}))
    assert (data["payload"], data["captured"]) == ({"n": 1}, {"word": "hi"})
    assert "captured" not in shown("step_created", {"n": 1})
    assert shown("step_completed", {"": 1})["payload"] == {"": 1}


def test_references_are_shown_by_name() -> None:
    """Steps, workflows and partials are text that says which, and with what."""
    data = shown("step_completed", [TAG, partial(TAG, 1), WorkflowReference("workflow//a.py//w")])
    assert data["payload"] == [
        "<step Cart.pay/tag with greeting='hi'>",
        "functools.partial(<step Cart.pay/tag with greeting='hi'>, 1)",
        "<workflow w>",
    ]


class Unshowable:
    """Says nothing of itself."""

    def __repr__(self) -> str:
        raise ValueError("no")


def test_any_value_can_be_shown() -> None:
    """Bytes that are no text are in base64, what has no form in JSON is as Python writes it."""
    circle: list[object] = [1]
    circle.append(circle)
    values = [b"text", {"a": b"\x8a", "b": [b"text"]}, circle, "\ud800"]
    assert [shown("step_completed", value)["payload"] for value in values] == [
        "text",
        {"a": "ig==", "b": ["dGV4dA=="]},
        "[1, [...]]",
        "\ud800",
    ]
    assert "Unshowable object" in str(jsonable([Unshowable()]))


def test_encrypted_values_are_shown_as_such() -> None:
    """Without the key a payload or an error is named with its key's id; nothing else is shown."""
    key = run_key(b"k" * 32, "wrun_a")

    def look(type: str, data: bytes) -> Any:
        hidden = sealed(data, key, "wrun_a", os.urandom)
        return event_json(Event(seq=1, type=type, at=0, payload=hidden), Codec())["payload"]

    found = look("step_completed", Codec().encode("secret"))
    assert list(found) == ["encrypted"]
    assert found["encrypted"].startswith(
        f"a value of wrun_a is encrypted with the key {key.id.hex()}"
    )
    error = look("step_failed", Codec().encode_error(ValueError("secret")))
    assert error["type"] == "DecryptionError"
    assert "secret" not in str(error)

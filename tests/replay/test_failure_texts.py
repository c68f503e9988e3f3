"""The text of the error that whoever waits for a failed run gets."""

from __future__ import annotations

import pytest

from workflow.replay.children import failure_of


class Mute(Exception):
    """An exception of a user whose text cannot be had."""

    def __str__(self) -> str:
        raise ValueError("no text")


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        (ValueError("no"), "ValueError: no"),
        (TimeoutError(), "TimeoutError"),
        (Mute(), "Mute"),
        (None, "no error was recorded"),
    ],
)
def test_the_cause_is_named(cause: BaseException | None, text: str) -> None:
    """The class and the text, or the class alone where there is none."""
    failure = failure_of("wrun_1", cause, "user-error")
    assert str(failure) == f"wrun_1 failed: {text}"
    assert failure.__cause__ is cause

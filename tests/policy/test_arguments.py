"""Arguments by parameter name: recorded, and spread again over a function."""

from __future__ import annotations

from typing import Any

import pytest

from workflow.policy.arguments import captured_of, record, spread, with_captured


def every_kind(a: int, /, b: int, *rest: int, c: int = 3, **more: int) -> tuple[Any, ...]:
    return a, b, rest, c, more


def test_a_call_comes_back_as_it_was() -> None:
    """Every kind of parameter survives, defaults included."""
    recorded = record(every_kind, (1, 2, 4, 5), {"z": 9})
    assert recorded == {"a": 1, "b": 2, "*rest": (4, 5), "c": 3, "**more": {"z": 9}}
    args, kwargs = spread(every_kind, recorded)
    assert every_kind(*args, **kwargs) == (1, 2, (4, 5), 3, {"z": 9})


def test_reordered_and_added_parameters_still_fit() -> None:
    """What was recorded before a parameter was added or moved can still be called."""

    def before(a: int, b: int) -> None: ...

    def after(b: int, a: int, c: int = 3) -> tuple[int, int, int]:
        return a, b, c

    args, kwargs = spread(after, record(before, (1, 2), {}))
    assert after(*args, **kwargs) == (1, 2, 3)


def test_a_parameter_that_is_gone_is_named() -> None:
    """The error names what was recorded and what is missing."""

    def before(old: int) -> None: ...

    def after(new: int) -> None: ...

    with pytest.raises(TypeError, match=r"'new'.*'old'"):
        spread(after, record(before, (1,), {}))


def test_functions_that_share_code_keep_their_own_parameters() -> None:
    """Workflow functions are given one code object; their signatures stay apart."""

    def one(email: str) -> None: ...

    def two(n: int) -> None: ...

    record(one, ("a",), {})
    two.__signature__ = __import__("inspect").signature(two)  # type: ignore[attr-defined]
    two.__code__ = one.__code__
    assert record(two, (3,), {}) == {"n": 3}


def test_captured_variables_lie_beside_the_arguments() -> None:
    """They are sorted by name, and cannot collide with a parameter of any kind."""
    arguments = record(every_kind, (1, 2), {"captured": 3})
    recorded = with_captured(arguments, {"z": 1, "a": [2], "captured": 3})
    assert list(recorded[""]) == ["a", "captured", "z"]
    assert captured_of(recorded) == (arguments, {"a": [2], "captured": 3, "z": 1})


def test_a_call_without_captured_variables_is_recorded_as_before() -> None:
    """Nothing is added to the record when nothing is captured."""
    arguments = record(every_kind, (1, 2), {})
    assert with_captured(arguments, None) is arguments
    assert with_captured(arguments, {}) == arguments
    assert captured_of(arguments) == (arguments, {})


def test_a_wrong_name_is_told_beside_what_it_leaves_out() -> None:
    """Python says what is missing; the name that was written instead is told as well."""

    def ship(order: str, days: int = 1) -> None: ...

    def anything(order: str, **more: int) -> None: ...

    with pytest.raises(TypeError) as caught:
        record(ship, (), {"ordr": "o-1"})
    assert str(caught.value).endswith(
        "missing a required argument: 'order'; no parameter is called 'ordr'"
    )
    with pytest.raises(TypeError, match="got an unexpected keyword argument 'day'"):
        record(ship, ("o-1",), {"day": 2})
    with pytest.raises(TypeError, match=r"missing a required argument: 'order'$"):
        record(anything, (), {"ordr": 1})

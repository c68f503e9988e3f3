"""Step options and the decision after a failure."""

from __future__ import annotations

import functools
import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.errors import ContextError, DirectCallError, FatalError, RetryableError
from workflow.policy.retry import (
    Backoff,
    GiveUp,
    Retry,
    StepOptions,
    after_failure,
    delay,
    options_of,
    step_options,
)

NOW = 1_000_000_000


def test_delays_double_up_to_the_ceiling() -> None:
    """Without its random share the default waits 1, 2, 4 … seconds and never over 300."""
    assert [delay(Backoff(), n, 0.0) for n in (1, 2, 3, 9, 10, 5000)] == [1, 2, 4, 256, 300, 300]


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True), st.floats(0, 1))
def test_jitter_only_shortens(attempt: int, u: float, jitter: float) -> None:
    """The random number takes off at most the jitter's share and adds nothing."""
    full = delay(Backoff(jitter=jitter), attempt, 0.0)
    got = delay(Backoff(jitter=jitter), attempt, u)
    assert full * (1 - jitter) <= got * (1 + 1e-12)
    assert got <= full <= 300


@pytest.mark.parametrize(
    "wrong",
    [{"initial": -1}, {"factor": 0.5}, {"factor": "2"}, {"jitter": 2}, {"jitter": True},
     {"max": "later"}],
)  # fmt: skip
def test_backoff_refuses_nonsense(wrong: dict[str, object]) -> None:
    """A back-off that cannot work is refused when it is written, not when a step fails."""
    with pytest.raises(ValueError, match="backoff"):
        Backoff(**wrong)  # type: ignore[arg-type]


def test_backoff_accepts_duration_texts() -> None:
    """Durations may be written as texts and are kept as seconds."""
    assert Backoff(initial="500ms", max="5m") == Backoff(initial=0.5, max=300)


def test_three_retries_make_four_attempts() -> None:
    """The default gives up after the fourth attempt."""
    decisions = [after_failure(StepOptions(), n, ValueError(), NOW, 0.0) for n in (1, 2, 3, 4)]
    assert decisions == [
        Retry(NOW + 1_000_000),
        Retry(NOW + 2_000_000),
        Retry(NOW + 4_000_000),
        GiveUp(),
    ]


def test_no_retries() -> None:
    """max_retries=0 means one attempt, also for RetryableError."""
    once = StepOptions(max_retries=0)
    assert after_failure(once, 1, ValueError(), NOW, 0.5) == GiveUp()
    assert after_failure(once, 1, RetryableError("x"), NOW, 0.5) == GiveUp()


def test_fatal_error_gives_up_at_once() -> None:
    """FatalError and its subclasses are not retried."""

    class Refused(FatalError):
        pass

    assert after_failure(StepOptions(), 1, FatalError("no"), NOW, 0.5) == GiveUp()
    assert after_failure(StepOptions(), 1, Refused("no"), NOW, 0.5) == GiveUp()


def test_what_a_step_cannot_use_is_not_retried() -> None:
    """ContextError, as of `sleep()` in a step, would be the same in each attempt."""
    assert after_failure(StepOptions(), 1, ContextError("no"), NOW, 0.5) == GiveUp()
    assert after_failure(StepOptions(), 1, DirectCallError("no"), NOW, 0.5) == GiveUp()


@pytest.mark.parametrize(
    ("retry_after", "expected"),
    [
        (5, NOW + 5_000_000),
        ("2m", NOW + 120_000_000),
        (timedelta(milliseconds=1), NOW + 1000),
        (datetime(2026, 1, 1, tzinfo=UTC), 1_767_225_600_000_000),
        (datetime(1965, 1, 1, tzinfo=UTC), NOW),
        (0, NOW),
        (-3.5, NOW),
        (timedelta(seconds=-1), NOW),
        (None, NOW + 1_000_000),
    ],
)
def test_retryable_error_chooses_the_time(
    retry_after: float | str | timedelta | datetime | None, expected: int
) -> None:
    """retry_after is obeyed in all its forms, without jitter; None, as of a header that is not
    there, is the second of an error without it."""
    error = RetryableError("later", retry_after=retry_after)
    assert after_failure(StepOptions(), 1, error, NOW, 0.9) == Retry(expected)


@pytest.mark.parametrize("wrong", ["soon", math.nan, datetime(2026, 1, 1)])
def test_unreadable_retry_after_falls_back(wrong: str | float | datetime) -> None:
    """A retry_after that cannot be read uses the back-off and says so."""
    decision = after_failure(StepOptions(), 1, RetryableError("x", retry_after=wrong), NOW, 0.0)
    assert isinstance(decision, Retry)
    assert decision.at == NOW + 1_000_000
    assert "retry_after was ignored" in decision.remark


def test_plain_function_has_the_defaults() -> None:
    """A step without any setting gets the defaults."""

    async def step() -> None: ...

    assert options_of(step) == StepOptions(max_retries=3, timeout=None, backoff=Backoff())


def test_decorator_sets_options_and_keeps_the_function() -> None:
    """The decorator returns the same object and the options can be read back."""

    async def step(n: int) -> str:
        return str(n)

    marked = step_options(max_retries=5, timeout="30s", backoff=Backoff(jitter=0))(step)
    assert marked is step
    assert options_of(step) == StepOptions(5, 30.0, Backoff(jitter=0))


def test_attributes_win_over_the_decorator() -> None:
    """Attributes set below the function override what the decorator said, one by one."""

    @step_options(max_retries=5, timeout=10)
    def step() -> None: ...

    step.max_retries = 0  # type: ignore[attr-defined]
    assert options_of(step) == StepOptions(0, 10.0)


def test_options_survive_functools_wraps() -> None:
    """A wrapper made with functools.wraps has the options of the function it wraps."""

    @step_options(max_retries=7)
    def step() -> None: ...

    @functools.wraps(step)
    def wrapper() -> None: ...

    assert options_of(wrapper).max_retries == 7


def test_backoff_zero_retries_at_once() -> None:
    """backoff=0 gives immediate retries, however many there were."""

    @step_options(backoff=0)
    def step() -> None: ...

    options = options_of(step)
    assert [after_failure(options, n, ValueError(), NOW, 0.3) for n in (1, 3)] == [Retry(NOW)] * 2


def test_backoff_as_one_duration_is_constant() -> None:
    """A single duration is waited before every retry."""

    @step_options(backoff="10s")
    def step() -> None: ...

    assert [delay(options_of(step).backoff, n, 0.9) for n in (1, 2, 8)] == [10, 10, 10]


@pytest.mark.parametrize(
    ("attribute", "value", "kind"),
    [
        ("max_retries", -1, ValueError),
        ("max_retries", "3", TypeError),
        ("max_retries", True, TypeError),
        ("max_retries", 1.5, TypeError),
        ("timeout", 0, ValueError),
        ("timeout", "soon", ValueError),
        ("backoff", "often", ValueError),
        ("backoff", -1, ValueError),
        ("run_in", "thread", ValueError),
        ("__step_options__", {"max_retries": 1}, TypeError),
    ],
)
def test_wrong_attributes_are_named(attribute: str, value: object, kind: type[Exception]) -> None:
    """A setting that makes no sense is an error naming the function and the setting."""

    def charge() -> None: ...

    setattr(charge, attribute, value)
    with pytest.raises(kind, match=rf"charge.*{attribute}"):
        options_of(charge)

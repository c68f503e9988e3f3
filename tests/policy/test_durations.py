"""Durations and due times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.policy.durations import MAX_SECONDS, due_of, seconds_of

DAY = 86_400


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("10s", 10),
        ("7 days", 7 * DAY),
        ("1.5h", 5400),
        ("1 month", 30 * DAY),
        ("2 weeks", 14 * DAY),
        ("1 year", 365.25 * DAY),
        ("5 Minutes", 300),
        (".5m", 30),
        ("  3 hrs ", 10_800),
        ("90", 90),
        ("0s", 0),
        (0, 0),
        (10, 10),
        (0.25, 0.25),
        (timedelta(hours=1, microseconds=1), 3600.000001),
    ],
)
def test_accepted_forms(text: str | float | timedelta, seconds: float) -> None:
    """Every documented form reads as the documented number of seconds."""
    assert seconds_of(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "wrong",
    [
        "", "  ", "soon", "5 parsecs", "-1s", "1h30m", "1e3s", "１０s", "9" * 500, "1 000s",
        True, False, float("nan"), float("inf"), -1, -0.5, 10**400, MAX_SECONDS + 1,
        timedelta(seconds=-1), None, [], Decimal(3), b"10s", datetime(2026, 1, 1, tzinfo=UTC),
    ],
)  # fmt: skip
def test_refused_forms_list_what_is_accepted(wrong: object) -> None:
    """Anything else is a ValueError that shows the accepted forms."""
    with pytest.raises(ValueError, match="Accepted: a number of seconds") as caught:
        seconds_of(wrong)  # type: ignore[arg-type]
    assert len(str(caught.value)) < 500


def test_due_of_a_duration_counts_from_now() -> None:
    """A duration falls due that long after now, exactly to the microsecond."""
    assert due_of("1.5s", 7) == 1_500_007
    assert due_of(0, 7) == 7
    assert due_of(timedelta(days=300_000, microseconds=1), 0) == 300_000 * DAY * 10**6 + 1


def test_due_of_a_date() -> None:
    """A datetime with a zone falls due at that moment, whatever the zone is."""
    summer = datetime(2026, 7, 1, 12, 0, 0, 123456, tzinfo=ZoneInfo("Europe/Berlin"))
    expected = int(datetime(2026, 7, 1, 10, tzinfo=UTC).timestamp()) * 10**6 + 123456
    assert due_of(summer, 0) == expected


def test_due_of_a_past_date_is_now() -> None:
    """A date in the past is due at once, not earlier."""
    assert due_of(datetime(1960, 1, 1, tzinfo=UTC), 5) == 5


def test_due_of_refuses_naive_dates() -> None:
    """A datetime without a zone is a TypeError that says to add one."""
    with pytest.raises(TypeError, match=r"has no time zone.*Add one"):
        due_of(datetime(2030, 1, 1), 0)


def test_due_of_says_that_dates_will_do() -> None:
    """A date as text is refused with both forms that a moment can be given in."""
    with pytest.raises(ValueError, match=r"Accepted: .* A datetime with a time zone will do"):
        due_of("2027-01-01T00:00:00Z", 0)


@given(st.floats(0, MAX_SECONDS), st.integers(0, 2**60))
def test_due_of_never_goes_back(seconds: float, now: int) -> None:
    """No duration falls due before now, and the result stays a 64-bit integer."""
    assert now <= due_of(seconds, now) < 2**63

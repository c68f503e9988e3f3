"""When a failed step is tried again, and when it is given up.

Pure: the time and the random number come in as arguments, so the engine decides and tests can ask
for any moment. The default differs from the Workflow DevKit's on purpose: it retries at once, we
wait longer each time and spread the waiting, so that a service that is down is not hit by every run
in the same second. `backoff=0` gives the immediate form.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, ParamSpec, TypeAlias, TypeVar

from workflow.errors import ContextError, FatalError, RetryableError
from workflow.policy.durations import due_of, seconds_of

__all__ = [
    "Backoff",
    "Decision",
    "GiveUp",
    "Retry",
    "StepOptions",
    "after_failure",
    "delay",
    "is_final",
    "options_of",
    "step_options",
]

P = ParamSpec("P")
R = TypeVar("R")

Duration: TypeAlias = str | float | timedelta
RunIn: TypeAlias = Literal["process"]


@dataclass(frozen=True)
class Backoff:
    """How long to wait before each retry, in seconds.

    The first retry waits `initial`, each further one `factor` times longer, at most `max`. Of that
    time a random share of up to `jitter` (0 to 1) is taken off. `initial` and `max` accept every
    form of duration and are kept as seconds. Raises ValueError for values that make no sense.
    """

    initial: Duration = 1.0
    factor: float = 2.0
    max: Duration = 300.0
    jitter: float = 0.25

    def __post_init__(self) -> None:
        object.__setattr__(self, "initial", _seconds("backoff initial", self.initial))
        object.__setattr__(self, "max", _seconds("backoff max", self.max))
        if not _is_number(self.factor) or not 1 <= self.factor < math.inf:
            raise ValueError(f"backoff factor must be a number from 1 up, not {self.factor!r}")
        if not _is_number(self.jitter) or not 0 <= self.jitter <= 1:
            raise ValueError(f"backoff jitter must be a number from 0 to 1, not {self.jitter!r}")


@dataclass(frozen=True)
class StepOptions:
    """Settings of one step. `timeout` is seconds per attempt, None for no limit.

    `max_retries` counts the attempts after the first: 3 means at most four in all, 0 a single one.
    `run_in` is where the body runs, None for the worker itself.
    """

    max_retries: int = 3
    timeout: float | None = None
    backoff: Backoff = field(default_factory=Backoff)
    run_in: RunIn | None = None


@dataclass(frozen=True)
class Retry:
    """Try again at `at` (microseconds since the epoch). `remark`, if any, is for the log output."""

    at: int
    remark: str = ""


@dataclass(frozen=True)
class GiveUp:
    """The step has failed for good."""


Decision: TypeAlias = Retry | GiveUp


def delay(backoff: Backoff, attempt: int, u: float) -> float:
    """Return the seconds to wait after failed attempt number `attempt` (from 1).

    `u` is the caller's random number in [0, 1). The random share is only ever taken off, so waits
    stay spread out after `max` is reached and never exceed it.
    """
    initial, ceiling = seconds_of(backoff.initial), seconds_of(backoff.max)
    try:
        base = min(ceiling, initial * float(backoff.factor) ** (max(attempt, 1) - 1))
    except OverflowError:
        base = min(ceiling, initial * math.inf) if initial else 0.0
    return base * (1 - backoff.jitter * u)


def is_final(error: BaseException) -> bool:
    """Whether another attempt cannot help: FatalError says so, and what cannot be used in a step
    (ContextError) will not be usable in the next attempt either."""
    return isinstance(error, FatalError | ContextError)


def after_failure(
    options: StepOptions, attempt: int, error: BaseException, now: int, u: float
) -> Decision:
    """Decide what follows when attempt number `attempt` (from 1) failed with `error` at `now`.

    What `is_final` gives up, and so does any error when no retry is left. RetryableError chooses
    its own time, at once when that has passed; one that cannot be read falls back to the back-off
    and says so in `remark`, because an exception here would lose the step's own error. `u` is as in
    `delay`.
    """
    if is_final(error) or attempt > options.max_retries:
        return GiveUp()
    remark = ""
    if isinstance(error, RetryableError):
        if _is_over(error.retry_after):
            return Retry(now)
        try:
            return Retry(due_of(error.retry_after, now))
        except (TypeError, ValueError) as unreadable:
            remark = f"retry_after was ignored: {unreadable}"
    return Retry(now + round(delay(options.backoff, attempt, u) * 1_000_000), remark)


def _is_over(after: object) -> bool:
    """Whether it is a duration below 0, as from a moment that was computed and has passed."""
    if isinstance(after, timedelta):
        return after < timedelta()
    return _is_number(after) and after < 0  # type: ignore[operator]


def step_options(
    *,
    max_retries: int | None = None,
    timeout: Duration | None = None,
    backoff: Backoff | Duration | None = None,
    run_in: RunIn | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Set the options of a step; the function itself is returned unchanged.

    `max_retries`: attempts after the first, default 3. `timeout`: duration of one attempt, default
    no limit. `backoff`: a `Backoff`, or one duration to wait before every retry; 0 retries at
    once. `run_in="process"` runs the body in a process of its own, for work that computes for long
    or may crash; without it, coroutine functions run in the worker's event loop and others in a
    thread. Values left out keep their defaults. Raises ValueError or TypeError for wrong values.
    """
    chosen = _options("step_options", max_retries, timeout, backoff, run_in, StepOptions())

    def mark(fn: Callable[P, R]) -> Callable[P, R]:
        fn.__step_options__ = chosen  # type: ignore[attr-defined]
        return fn

    return mark


def options_of(fn: Callable[..., Any]) -> StepOptions:
    """Return the options of a step function.

    They come from `@step_options(...)` and from the attributes `max_retries`, `timeout`, `backoff`
    and `run_in` set on the function; an attribute wins, as it was set later. Raises ValueError or
    TypeError that names the function and the attribute for values that make no sense.
    """
    base = getattr(fn, "__step_options__", None)
    if base is None:
        base = StepOptions()
    name = getattr(fn, "__qualname__", repr(fn))
    if not isinstance(base, StepOptions):
        raise TypeError(f"{name}.__step_options__ must be set by @step_options, not {base!r}")
    max_retries, timeout = getattr(fn, "max_retries", None), getattr(fn, "timeout", None)
    backoff, run_in = getattr(fn, "backoff", None), getattr(fn, "run_in", None)
    return _options(name, max_retries, timeout, backoff, run_in, base)


def _options(
    owner: str,
    max_retries: object,
    timeout: object,
    backoff: object,
    run_in: object,
    base: StepOptions,
) -> StepOptions:
    return StepOptions(
        base.max_retries if max_retries is None else _retries(owner, max_retries),
        base.timeout if timeout is None else _timeout(owner, timeout),
        base.backoff if backoff is None else _backoff(owner, backoff),
        base.run_in if run_in is None else _run_in(owner, run_in),
    )


def _retries(owner: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{owner}: max_retries must be a whole number, not {value!r}")
    if value < 0:
        raise ValueError(f"{owner}: max_retries must be 0 or more, not {value}")
    return value


def _timeout(owner: str, value: object) -> float:
    seconds = _seconds(f"{owner}: timeout", value)
    if seconds == 0:
        raise ValueError(f"{owner}: timeout must be longer than 0; leave it out for no limit")
    return seconds


def _backoff(owner: str, value: object) -> Backoff:
    if isinstance(value, Backoff):
        return value
    seconds = _seconds(f"{owner}: backoff", value)
    return Backoff(initial=seconds, factor=1.0, max=seconds, jitter=0.0)


def _run_in(owner: str, value: object) -> RunIn:
    if value != "process":
        raise ValueError(f'{owner}: run_in is "process" or left out, not {value!r}')
    return "process"


def _seconds(what: str, value: object) -> float:
    try:
        return seconds_of(value)  # type: ignore[arg-type]
    except ValueError as wrong:
        raise ValueError(f"{what}: {wrong}") from None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)

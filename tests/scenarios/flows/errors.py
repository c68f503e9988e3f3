"""What fails, how often it is tried, and what its error still says afterwards."""

from __future__ import annotations

from typing import Any

from workflow import (
    FatalError,
    RetryableError,
    SerializationError,
    get_step_metadata,
    step_options,
)

from .error_helpers import a_lock, deep_inside, fail_in_another_file


@step_options(backoff=0)
async def third_time() -> int:
    "use step"
    attempt = get_step_metadata().attempt
    if attempt < 3:
        raise ValueError(f"attempt {attempt}")
    return attempt


async def wait_a_second() -> int:
    "use step"
    attempt = get_step_metadata().attempt
    if attempt == 1:
        raise RetryableError("later", retry_after="1s")
    return attempt


@step_options(max_retries=0)
async def only_once() -> None:
    "use step"
    raise ValueError(f"attempt {get_step_metadata().attempt}")


async def fatal(text: str) -> None:
    "use step"
    raise FatalError(f"{text}, attempt {get_step_metadata().attempt}")


async def fatal_with_cause() -> None:
    "use step"
    try:
        len(5)  # type: ignore[arg-type]
    except TypeError as error:
        raise FatalError("the length") from error


@step_options(max_retries=0)
async def fails_elsewhere() -> None:
    "use step"
    fail_in_another_file()


class PaymentRefused(Exception):
    """An error with data of its own."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


@step_options(max_retries=0)
async def refuse_payment() -> None:
    "use step"
    raise PaymentRefused(402, "card expired")


async def gives_a_lock() -> Any:
    "use step"
    return {"data": [1, a_lock()]}


async def take(value: Any) -> Any:
    "use step"
    return value


async def retries() -> int:
    "use workflow"
    return await third_time()


async def retry_after() -> int:
    "use workflow"
    return await wait_a_second()


async def no_retries() -> None:
    "use workflow"
    await only_once()


async def step_is_fatal() -> None:
    "use workflow"
    await fatal("it failed")


async def fatal_is_caught() -> str:
    "use workflow"
    try:
        await fatal("it failed")
    except FatalError as error:
        return f"caught: {error}"
    return "no error"


async def cause_of_a_fatal() -> list[Any]:
    "use workflow"
    try:
        await fatal_with_cause()
    except FatalError as error:
        return [str(error), isinstance(error.__cause__, TypeError), str(error.__cause__)]
    return []


async def body_is_fatal() -> None:
    "use workflow"
    raise FatalError("the body gave up")


async def nested_stack() -> None:
    "use workflow"
    deep_inside(3)


async def step_stack() -> None:
    "use workflow"
    await fails_elsewhere()


async def error_subclass() -> list[Any]:
    "use workflow"
    try:
        await refuse_payment()
    except PaymentRefused as error:
        return [type(error).__name__, error.code, error.reason, error.args]
    return []


async def bad_arguments() -> None:
    "use workflow"
    await take({"items": [1, (n for n in "ab")]})


async def bad_arguments_caught() -> list[Any]:
    "use workflow"
    try:
        await take({"items": [1, (n for n in "ab")]})
    except SerializationError as error:
        return [str(error), await take("still here")]
    return []


async def bad_result() -> None:
    "use workflow"
    await gives_a_lock()


async def bad_result_caught() -> list[Any]:
    "use workflow"
    try:
        await gives_a_lock()
    except SerializationError as error:
        return [str(error), await take("still here")]
    return []

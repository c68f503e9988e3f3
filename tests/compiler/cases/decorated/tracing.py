from collections.abc import Awaitable, Callable
from functools import wraps


def counted(function: Callable[..., Awaitable[int]]) -> Callable[..., Awaitable[int]]:
    """A decorator of the project, good for workflows: it only computes."""

    @wraps(function)
    async def wrapper(*args: object, **kwargs: object) -> int:
        return 1 + await function(*args, **kwargs)

    return wrapper


def traced(function: Callable[..., Awaitable[int]]) -> Callable[..., Awaitable[int]]:
    """One that only a step can have."""
    import opentelemetry.trace

    return opentelemetry.trace.get_tracer(__name__).start_as_current_span("step")(function)


from functools import wraps


def counted(function: Callable[..., Awaitable[int]]) -> Callable[..., Awaitable[int]]:
    """A decorator of the project, good for workflows: it only computes."""

    @wraps(function)
    async def wrapper(*args: object, **kwargs: object) -> int:
        return 1 + await function(*args, **kwargs)

    return wrapper








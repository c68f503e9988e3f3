import functools

import tenacity
from tracing import counted, traced

from workflow import step_options


@step_options(
    max_retries=5,
    timeout="30s",
)
@tenacity.retry(stop=tenacity.stop_after_attempt(3))
# A comment between them.
@traced
async def charge(cents: int) -> int:
    """Charge."""
    "use step"
    return cents


@functools.lru_cache
def rate(currency: str) -> int:
    "use step"
    return len(currency)


class Shop:
    @staticmethod
    @step_options(max_retries=0)
    async def refund(cents: int) -> int:
        "use step"
        return -cents


@counted
async def order(cents: int) -> int:
    "use workflow"
    return await charge(cents) + await rate("EUR") + await Shop.refund(cents)

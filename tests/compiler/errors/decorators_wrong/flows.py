import contextlib
import functools
from functools import cache as remembered

import fastapi
import sentry_sdk
import tenacity
from server import api
from workflow import step_options

router = fastapi.APIRouter(prefix="/shop")


@router.post("/order")
async def order(item: str) -> str:
    "use workflow"
    return item


@api.get("/refund")
@sentry_sdk.trace
async def refund(item: str) -> str:
    "use workflow"
    return item


@step_options(max_retries=3)
async def ship(item: str) -> str:
    "use workflow"

    @step_options(max_retries=len(item))
    async def pack(item: str) -> str:
        "use step"
        return item

    @tenacity.retry
    async def seal(item: str) -> str:
        "use step"
        return item

    return await seal(await pack(item))


@remembered
async def rate(currency: str) -> float:
    "use step"
    return 1.0


@functools.singledispatch
def convert(value: object) -> str:
    "use step"
    return str(value)


@contextlib.asynccontextmanager
async def connection():
    "use step"
    yield 1


@functools.wraps(order)
async def like_order(*args: str) -> str:
    "use step"
    return args[0]

"""The application that serves the scenarios: start runs, ask for results, read streams.

It is copied beside the flows and served by uvicorn; nothing here knows which world it has.
"""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from workflow.api import get_run, resume_hook, start, with_options, with_workflow
from workflow.errors import WorkflowError, WorkflowRunFailedError


async def start_run(request: Request) -> Response:
    """Start the workflow with this id; 400 with the message when it is refused."""
    body: dict[str, Any] = await request.json()
    options = body.get("options") or {}
    begin = with_options(**options).start if options else start
    try:
        run = await begin(body["workflow"], *body.get("args", ()), **body.get("kwargs", {}))
    except (WorkflowError, TypeError, ValueError) as error:
        return JSONResponse({"error": type(error).__name__, "message": str(error)}, 400)
    return JSONResponse({"run_id": run.run_id})


async def result(request: Request) -> Response:
    """The result of a run once it has ended, or how it failed."""
    run: Any = get_run(request.path_params["run_id"])
    try:
        return JSONResponse({"result": await run.result("50s")})
    except WorkflowRunFailedError as error:
        cause = error.__cause__
        return JSONResponse(
            {
                "error": type(error).__name__,
                "message": str(error),
                "code": error.code,
                "cause": None if cause is None else type(cause).__name__,
                "cause_message": None if cause is None else str(cause),
            }
        )
    except WorkflowError as error:
        return JSONResponse({"error": type(error).__name__, "message": str(error)})


async def result_stream(request: Request) -> Response:
    """The result of a run, which is a stream."""
    run: Any = get_run(request.path_params["run_id"])
    return StreamingResponse(await run.result("50s"))


async def resume(request: Request) -> Response:
    """Give a hook a payload."""
    hook = await resume_hook(request.path_params["token"], await request.json())
    return JSONResponse({"run_id": hook.run_id})


async def stream(request: Request) -> Response:
    """A stream of a run, chunk by chunk."""
    query = request.query_params
    readable = get_run(request.path_params["run_id"]).get_readable(
        namespace=query.get("namespace"), start_index=int(query.get("start_index", "0"))
    )
    return StreamingResponse(readable)


app = with_workflow(
    Starlette(
        routes=[
            Route("/runs", start_run, methods=["POST"]),
            Route("/runs/{run_id}/result", result),
            Route("/runs/{run_id}/stream", stream),
            Route("/runs/{run_id}/result-stream", result_stream),
            Route("/hooks/{token}", resume, methods=["POST"]),
        ]
    )
)

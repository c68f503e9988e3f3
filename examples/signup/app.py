"""The web application around the sign-up workflow. Serve it from the repository root:

    uvicorn examples.signup.app:app

POST /signup               {"email": "ada@example.com"}        starts a run
GET  /runs/{id}                                                its status, and its result once done
GET  /runs/{id}/stream                                         its progress, line by line
POST /approve/{email}      {"approved": true, "by": "grace"}   answers the run's hook

The webhook that the run opens later is served by `with_workflow`, at the URL the run made up.
"""

from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from examples.signup.flows import user_signup
from workflow.api import get_run, resume_hook, start, with_workflow
from workflow.errors import HookNotFoundError


async def sign_up(request: Request) -> JSONResponse:
    """Start a run and answer at once; the run goes on by itself."""
    email = (await request.json())["email"]
    run = await start(user_signup, email)
    return JSONResponse({"run_id": run.run_id}, status_code=202)


async def show_run(request: Request) -> JSONResponse:
    """Status of a run, with its result when it has one."""
    run = get_run(request.path_params["run_id"], user_signup)
    if not await run.exists:
        return JSONResponse({"error": "no such run"}, status_code=404)
    status = await run.status
    answer: dict[str, object] = {"run_id": run.run_id, "status": status}
    if status == "completed":
        answer["result"] = await run.return_value
    return JSONResponse(answer)


async def show_progress(request: Request) -> StreamingResponse:
    """What the steps of a run have told so far, and then what they tell, until it ends."""
    run = get_run(request.path_params["run_id"], user_signup)

    async def lines() -> AsyncIterator[str]:
        async for message in run.readable:
            yield f"{message}\n"

    return StreamingResponse(lines(), media_type="text/plain; charset=utf-8")


async def approve(request: Request) -> JSONResponse:
    """Hand the answer of the staff to the run that waits for it."""
    try:
        hook = await resume_hook(f"approve:{request.path_params['email']}", await request.json())
    except HookNotFoundError:
        return JSONResponse({"error": "nobody waits for this approval"}, status_code=404)
    return JSONResponse({"run_id": hook.run_id}, status_code=202)


app = with_workflow(
    Starlette(
        routes=[
            Route("/signup", sign_up, methods=["POST"]),
            Route("/runs/{run_id}", show_run),
            Route("/runs/{run_id}/stream", show_progress),
            Route("/approve/{email}", approve, methods=["POST"]),
        ]
    )
)

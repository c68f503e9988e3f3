"""The application around the card. From this folder, after `wfc build`:

uvicorn app:app
"""

from __future__ import annotations

from datetime import UTC

from card import birthday_card
from fastapi import FastAPI
from pydantic import AwareDatetime, BaseModel

from workflow.api import start, with_workflow


class Order(BaseModel):
    """What is posted to /cards. `birthday` has its time zone, as in 2026-12-24T08:00:00+01:00."""

    prompt: str
    email: str
    friends: list[str]
    birthday: AwareDatetime


routes = FastAPI()


@routes.post("/cards", status_code=202)
async def order_card(order: Order) -> dict[str, str]:
    """Start a run, which goes on until the birthday."""
    # pydantic's own class of time zones is not for the log; the moment is the same in UTC.
    day = order.birthday.astimezone(UTC)
    run = await start(birthday_card, order.prompt, order.email, order.friends, day)
    return {"run_id": run.run_id}


# Serves the addresses in the invitations, too: /.well-known/workflow/v1/webhook/…
app = with_workflow(routes)

"""A birthday card: made at once, answered by friends over days, sent on the day itself."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Any, TypedDict

from workflow import Webhook, create_webhook, get_step_metadata, sleep

OUTBOX = "outbox"


class Answer(TypedDict):
    """What a friend posts to the address in the invitation."""

    friend: str
    coming: bool
    wish: str


async def write_text(prompt: str) -> str:
    """Write the text of the card. Imagine a language model here."""
    "use step"
    return f"Happy birthday! {prompt}"


async def draw_picture(text: str) -> bytes:
    """Draw a picture that fits the text. Imagine an image model here."""
    "use step"
    return f'<svg xmlns="http://www.w3.org/2000/svg"><text>{text}</text></svg>'.encode()


async def send_invitation(friend: str, answer_to: str) -> None:
    """Ask one friend, who answers by a POST to `answer_to`."""
    "use step"
    deliver(friend, {"subject": "Will you come?", "answer_to": answer_to})


async def send_card(email: str, text: str, picture: bytes, answers: list[Answer]) -> None:
    """Send the card with every wish that came in."""
    "use step"
    wishes = [f"{answer['friend']}: {answer['wish']}" for answer in answers]
    deliver(email, {"subject": text, "wishes": wishes, "picture": picture.decode()})


def deliver(address: str, mail: dict[str, Any]) -> None:
    """Stand in for a mail server: one file a mail. A repeated step replaces its own file."""
    folder = Path(OUTBOX)
    folder.mkdir(exist_ok=True)
    key = get_step_metadata().step_id
    (folder / f"{address}.{key}.json").write_text(json.dumps(mail), "utf-8")


async def birthday_card(
    prompt: str, email: str, friends: list[str], birthday: datetime
) -> dict[str, Any]:
    """Make a card, ask the friends, wait for the day, send what there is by then."""
    "use workflow"
    # One after the other, because the picture needs the text.
    text = await write_text(prompt)
    picture = await draw_picture(text)

    # All at once: a friend whose mail server is slow keeps nobody waiting.
    webhooks = {friend: create_webhook() for friend in friends}
    await asyncio.gather(
        *(send_invitation(friend, webhook.url) for friend, webhook in webhooks.items())
    )

    # Answers are taken in while the workflow sleeps. A second answer replaces the first.
    answers: dict[str, Answer] = {}

    async def collect(friend: str, webhook: Webhook) -> None:
        async for request in webhook:
            data = await request.json()
            answers[friend] = Answer(
                friend=friend, coming=bool(data["coming"]), wish=str(data.get("wish", ""))
            )

    collecting = [asyncio.create_task(collect(*item)) for item in webhooks.items()]
    await sleep(birthday)
    for task in collecting:
        task.cancel()

    await send_card(email, text, picture, [answers[f] for f in friends if f in answers])
    return {"text": text, "coming": [f for f in friends if f in answers and answers[f]["coming"]]}

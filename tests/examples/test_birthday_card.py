"""examples/birthday_card: its workflow from the order to the day, by the clock of the test."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.examples.building import SERVED, Scene, copy_and_build, inside, scene
from tests.project import until
from workflow import Request
from workflow.api import Run, resume_webhook, start
from workflow.engine import Project
from workflow.errors import HookNotFoundError

# An order, an answer and the day, by HTTP. The zone is not UTC, and the day is now.
VISIT = (
    SERVED
    + """
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import urlsplit
import httpx
from app import app
from workflow.api import get_run


async def main():
    async with served(app):
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")
        day = datetime.now(timezone(timedelta(hours=9))) + timedelta(days=1)
        answer = await client.post("/cards", json={
            "prompt": "Many more!", "email": "ada", "friends": ["bob"],
            "birthday": day.isoformat()})
        assert answer.status_code == 202, answer.text
        run = get_run(answer.json()["run_id"])
        while not (mails := list(Path("outbox").glob("bob.*.json"))):
            await asyncio.sleep(0.01)
        address = urlsplit(json.loads(mails[0].read_text())["answer_to"]).path
        answered = await client.post(address, json={"coming": True, "wish": "Hurray"})
        await run.wake_up()
        print(json.dumps([answered.status_code, await run.result(60)]))


asyncio.run(main())
"""
)
BIRTHDAY = datetime(2025, 1, 31, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_and_build("birthday_card", tmp_path_factory.mktemp("examples"))


def mails(folder: Path, address: str) -> list[Any]:
    """What the steps have sent to somebody."""
    return [json.loads(path.read_text("utf-8")) for path in folder.glob(f"outbox/{address}.*.json")]


async def order(stage: Scene, folder: Path, *friends: str) -> tuple[Run[Any], dict[str, str]]:
    """Order a card; when all invitations are out, the run and each friend's token."""
    run = await start("birthday_card", "Many more!", "ada@example.com", list(friends), BIRTHDAY)

    async def invited() -> bool:
        waits = await stage.world.list_events(run.run_id)
        return any(event.type == "wait_created" for event in waits)

    await until(stage.world, invited, what="the sleep until the birthday")
    found = {}
    for friend in friends:
        (mail,) = mails(folder, friend)
        found[friend] = mail["answer_to"].rpartition("/")[2]
    return run, found


async def answer(token: str, **data: Any) -> int:
    """Do what a friend's browser does; the status of the response."""
    body = json.dumps(data).encode()
    return (await resume_webhook(token, Request("POST", "http://card/", body=body))).status


def test_the_card_is_sent_on_the_day_with_the_answers_so_far(folder: Path) -> None:
    """Answers of a month come with the card, in the order of the invitations; silence is fine."""

    async def main() -> None:
        async with scene(Project.load(folder / "generated")) as stage:
            run, tokens = await order(stage, folder, "bob", "cleo", "dan")
            assert await answer(tokens["cleo"], coming=True, wish="Cheers") == 202
            stage.clock.advance(20 * 86_400)
            assert await answer(tokens["bob"], coming=True, wish="Hurray") == 202
            # People change their minds: the last answer counts.
            assert await answer(tokens["cleo"], coming=False, wish="So sorry") == 202
            stage.clock.advance(10 * 86_400)
            assert await run.status == "running"
            assert mails(folder, "ada@example.com") == []
            stage.clock.advance(8 * 3600)
            assert await run.result(60) == {
                "text": "Happy birthday! Many more!",
                "coming": ["bob"],
            }
            (card,) = mails(folder, "ada@example.com")
            assert card["wishes"] == ["bob: Hurray", "cleo: So sorry"]
            assert card["picture"].startswith("<svg")
            with pytest.raises(HookNotFoundError):
                await answer(tokens["dan"], coming=True)

    with inside(folder):
        asyncio.run(main())


def test_the_invitations_go_out_in_parallel_after_the_card_is_made(folder: Path) -> None:
    """Text, then picture, then all invitations are asked for in one turn."""

    async def main() -> list[tuple[str, str]]:
        async with scene(Project.load(folder / "generated")) as stage:
            run, _ = await order(stage, folder, "eve", "fay", "gil")
            events = await stage.world.list_events(run.run_id)
            return [(e.type, e.name.rpartition("//")[2]) for e in events if "step" in e.type]

    with inside(folder):
        steps = asyncio.run(main())
    assert steps[:4] == [
        ("step_created", "write_text"),
        ("step_completed", "write_text"),
        ("step_created", "draw_picture"),
        ("step_completed", "draw_picture"),
    ]
    assert steps[4:7] == [("step_created", "send_invitation")] * 3


def test_the_application_takes_orders_and_answers(folder: Path, tmp_path: Path) -> None:
    """`app.py` as a server has it: POST /cards, and the address in the invitation."""
    copy = shutil.copytree(folder, tmp_path / "served", ignore=shutil.ignore_patterns("outbox"))
    (copy / "visit.py").write_text(VISIT, "utf-8")
    done = subprocess.run(
        [sys.executable, "visit.py"],
        cwd=copy,
        env={**os.environ, "WORKFLOW_TARGET_WORLD": "memory", "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    status, result = json.loads(done.stdout)
    assert status == 202
    assert result == {"text": "Happy birthday! Many more!", "coming": ["bob"]}

"""Children in one live run: facts in, decisions out, and what a replay compares of them."""

from __future__ import annotations

from collections import deque

import pytest

from tests.replay.drive import START
from tests.replay.recordings import HEAD, Player
from workflow.codec import Codec
from workflow.errors import (
    DivergenceError,
    SerializationError,
    WorkflowBlockedError,
    WorkflowRunFailedError,
)
from workflow.events import FACTS, Event, NewEvent
from workflow.replay.catch_up import catch_up
from workflow.replay.ids import child_id
from workflow.replay.live import LiveRun, meta_of
from workflow.sandbox import Bundle, ModuleSource, Program

MAIN, KID, OTHER = (f"workflow//flows.py//{name}" for name in ("main", "kid", "other"))
KIDS = """
from workflow.api import start, with_options

async def kid(n, to="ann"):
    return await work(n)

async def other(n, to="ann"):
    return await work(n)

async def main():
"""


def bundle(body: str) -> Bundle:
    """A bundle whose `main` has this body, beside two workflows it may start."""
    text = HEAD + KIDS + "".join(f"    {line}\n" for line in body.splitlines())
    return Bundle(
        (ModuleSource("flows", "flows.py", text),),
        workflows={key: ("flows", key.rpartition("/")[2]) for key in (MAIN, KID, OTHER)},
    )


def play(body: str) -> Player:
    return Player(bundle(body), MAIN, "wrun_1", START)


def replayed(body: str, log: list[Event]) -> tuple[LiveRun, list[NewEvent]]:
    """A copy of `main` with this body, at the end of a log."""
    instance = Program(bundle(body)).instantiate()
    codec = Codec(instance.classes, functions=instance.functions, ordered_sets=True)
    live = LiveRun("wrun_1", MAIN, instance.workflow(MAIN), codec, trace=True)
    pending: deque[NewEvent] = deque()
    try:
        for _ in catch_up(live, log, pending):
            pass
    finally:
        live.close()
    return live, list(pending)


def numbered(player: Player) -> list[Event]:
    return [
        Event(seq=n, type=e.type, at=e.at, ref=e.ref, name=e.name, payload=e.payload, meta=e.meta)
        for n, e in enumerate(player.log, 1)
    ]


SCENE = """\
first = await start(kid, 1)
second = await with_options(attributes={"a": "b"}, delay=60).start("other", 2, to="bob")
a = await work(7)
try:
    b = await second
except Exception as error:
    b = [type(error).__name__, error.error_code]
return [a, b, await first, first.run_id, str(uuid.uuid4())]"""


def scene() -> Player:
    """`SCENE` to its end: the first child ends before anybody awaits it."""
    player = play(SCENE)
    player.end_child("one", 0)
    player.complete("seven")
    player.end_child(ValueError("no"), 1, status="failed", code="user-error")
    return player


def test_what_a_start_decides() -> None:
    """One decision: the workflow, the arguments by name with defaults, the options."""
    player = play(SCENE)
    started = [event for event in player.log if event.type == "child_created"]
    assert [event.name for event in started] == [KID, OTHER]
    arguments = [player.codec.decode(event.payload or b"") for event in started]
    assert arguments == [{"n": 1, "to": "ann"}, {"n": 2, "to": "bob"}]
    options = {"attributes": {"a": "b"}, "start_at": START + 1000 + 60_000_000}
    assert [meta_of(event) for event in started] == [{}, options]
    assert [event.ref for event in started] == list(player.live.children)


def test_ends_in_any_order() -> None:
    """An end that comes before its await is kept, and a failure is raised at the await."""
    player = scene()
    result = player.codec.decode(player.log[-1].payload or b"")
    assert result[:3] == ["seven", ["WorkflowRunFailedError", "user-error"], "one"]
    assert result[3] == player.ref("child_created")


def test_every_prefix_replays() -> None:
    """A copy that is brought to any fact of the log asks for exactly what follows it."""
    log = numbered(scene())
    for end in range(1, len(log) + 1):
        if log[end - 1].type not in FACTS:
            continue
        following = []
        for event in log[end:]:
            if event.type in FACTS:
                break
            following.append((event.type, event.ref, event.name, event.payload, event.meta))
        _, pending = replayed(SCENE, log[:end])
        found = [(e.type, e.ref, e.name, e.payload, e.meta) for e in pending]
        assert found == following


def test_ids_and_seeds_of_children() -> None:
    """They follow from the seed and the count of calls; no two are alike, no seed tells another."""
    one, two = play(SCENE), play(SCENE)
    refs = list(one.live.children)
    assert refs == list(two.live.children)
    metas = [one.live.meta_for(ref) for ref in refs]
    assert metas == [two.live.meta_for(ref) for ref in refs]
    assert len(set(metas)) == 2
    assert child_id(b"seed", 1, START) != child_id(b"seed", 2, START)
    assert child_id(b"seed", 1, START) != child_id(b"other", 1, START)
    assert child_id(b"seed", 1, START)[5:15] == child_id(b"other", 9, START)[5:15]


@pytest.mark.parametrize(
    ("body", "position", "hint"),
    [
        (SCENE.replace("kid, 1", "kid, 3"), 2, "the argument 'n' has another value;"),
        (SCENE.replace('"other", 2', '"kid", 2'), 3, "'other' may have been renamed or moved"),
        (SCENE.replace("delay=60", "delay=61"), 3, "the attributes or the delay of the child"),
        (SCENE.replace("first = await", "await work(0)\nfirst = await"), 2, "the step 'work'"),
        (SCENE.replace("a = await work(7)\n", "a = 0\n"), 4, "the step 'work' was called here"),
        ("return 1", 2, "the child 'kid' was called here, and the call was removed"),
        (SCENE.replace("a = await", "await start(kid, 9)\na = await"), 4, "'kid' was added in"),
    ],
)
def test_divergence(body: str, position: int, hint: str) -> None:
    """What was changed about a child is said at the position of the first difference."""
    with pytest.raises(DivergenceError) as caught:
        replayed(body, numbered(scene()))
    assert caught.value.position == position
    assert hint in caught.value.hint


def test_an_end_of_no_child() -> None:
    """A fact about a child that the code has not started, or that has ended, diverges."""
    player = play(SCENE)
    with pytest.raises(DivergenceError, match="no such child"):
        player.feed("child_ended", "wrun_x", meta=b'{"status":"completed"}')
    player.end_child(1, 0)
    with pytest.raises(DivergenceError, match="no such child"):
        player.end_child(1, 0)


def test_an_unreadable_result_stops_the_feed() -> None:
    """A result that cannot be read is noticed when it comes, awaited or not; nothing is lost."""
    for body in (SCENE, "return await (await start(kid, 1))"):
        player = play(body)
        ref = player.ref("child_created")
        with pytest.raises(SerializationError):
            player.feed("child_ended", ref, payload=b"???", meta=b'{"status":"completed"}')


@pytest.mark.parametrize(
    ("body", "blocked"),
    [
        ("run = await start(kid, 1)\nawait run", False),
        ("run = await start(kid, 1)\nawait asyncio.Event().wait()", True),
    ],
)
def test_waiting_for_a_child_is_waiting(body: str, blocked: bool) -> None:
    """A body that awaits a child is not stuck; one that only has a child and awaits nothing is."""
    player = play(body)
    assert player.live.ended is blocked
    if blocked:
        error = player.codec.decode_error(player.log[-1].payload or b"")
        assert isinstance(error, WorkflowBlockedError)


def test_many_may_wait_for_one_child() -> None:
    """Each waiter gets the value or an error of its own, and one that was cancelled gets none."""
    body = """\
run = await start(kid, 1)
late = asyncio.create_task(run.result())
late.cancel()
found = await asyncio.gather(run.result(), run.result(), late, return_exceptions=True)
return [type(each).__name__ for each in found] + [found[0] is found[1]]"""
    for value, status, expected in (
        ([1], "completed", ["list", "list", "CancelledError", False]),
        (OSError(), "failed", [*["WorkflowRunFailedError"] * 2, "CancelledError", False]),
    ):
        player = play(body)
        player.end_child(value, 0, status=status)
        assert player.codec.decode(player.log[-1].payload or b"") == expected


def test_a_failure_without_a_code_has_the_usual_one() -> None:
    """Worlds that do not pass the code on are read as well."""
    player = play("await (await start(kid, 1))")
    player.end_child(OSError("gone"), 0, status="failed")
    error = player.codec.decode_error(player.log[-1].payload or b"")
    assert isinstance(error, WorkflowRunFailedError)
    assert (error.error_code, type(error.__cause__)) == ("workflow-error", OSError)


def test_an_end_without_an_error_can_be_raised() -> None:
    """A cancelled child that left no error gives WorkflowRunCancelledError all the same."""
    player = play(
        "try:\n    await (await start(kid, 1))\n"
        "except Exception as error:\n    return [type(error).__name__, error.reason]"
    )
    player.end_child(None, 0, status="cancelled")
    found = player.codec.decode(player.log[-1].payload or b"")
    assert found == ["WorkflowRunCancelledError", ""]


def test_a_body_that_is_dropped_starts_nothing() -> None:
    """What `finally` asks for after the copy was dropped is not decided."""
    player = play("try:\n    await work(1)\nfinally:\n    await start(kid, 1)")
    player.live.close()
    assert player.live.children == {}

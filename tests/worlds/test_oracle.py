"""Random sequences of port calls have the same answers in SQLite and in PostgreSQL as in
dictionaries."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.postgres import empty, new_world
from workflow.errors import WorkflowError
from workflow.testing.clock import VirtualClock
from workflow.world.port import World
from workflow.world.records import (
    Append,
    ChunkWrite,
    Claimed,
    Finish,
    HookFilter,
    Letter,
    NewEvent,
    NewRun,
    NewTask,
    NewToken,
    Parked,
    RunFilter,
    WorkerRecord,
)
from workflow.worlds.local import create_local_world
from workflow.worlds.memory import MemoryWorld

START = 1_000_000_000

RUNS = st.sampled_from(["a", "b", "c"])
WORKERS = st.sampled_from(["ann", "bob"])
STEPS = st.sampled_from(["s1", "s2", "s3"])
NAMES = st.sampled_from(["one", "two"])
TOKENS = st.sampled_from(["t", "u"])
HOOKS = st.sampled_from(["h1", "h2"])
# PostgreSQL cannot store U+0000, and says so.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4)
BYTES = st.binary(max_size=3)
TIMES = st.integers(START - 1_000_000, START + 20_000_000)
STREAMS = st.sampled_from(["x", "strm_y"])
ATTEMPTS = st.integers(1, 3)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def some(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=3).map(tuple)


EVENTS = st.builds(
    NewEvent,
    type=TEXT,
    at=TIMES,
    ref=TEXT,
    name=TEXT,
    payload=maybe(BYTES),
    meta=maybe(BYTES),
)
LETTERS = st.builds(
    Letter,
    kind=st.sampled_from(["nudge", "wake", "step_completed", "step_failed", "hook_received"]),
    ref=TEXT,
    payload=maybe(BYTES),
    dedupe=maybe(st.sampled_from(["k1", "k2"])),
)
# For whichever hook has the token, or for one only.
LETTERS_TO_TOKENS = st.builds(
    lambda letter, ref: replace(letter, ref=ref), LETTERS, st.just("") | HOOKS
)
NEW_RUNS = st.builds(
    NewRun,
    run_id=RUNS,
    workflow=st.sampled_from(["f", "g"]),
    input=BYTES,
    meta=BYTES,
    idempotency_key=maybe(st.just("key")),
    attributes=st.dictionaries(TEXT, TEXT, max_size=2),
    start_at=maybe(TIMES),
    parent_run=maybe(RUNS),
    parent_ref=maybe(TEXT),
)
NEW_TASKS = st.builds(
    NewTask,
    step_id=STEPS,
    name=NAMES,
    payload=BYTES,
    attempt=st.integers(0, 2),
    run_at=TIMES,
    error=maybe(BYTES),
)
NEW_TOKENS = st.builds(
    NewToken, token=TOKENS, ref=HOOKS, webhook=st.booleans(), metadata=maybe(BYTES)
)
# `fence` and `expected` are relative to the run's own here; `perform` makes them absolute.
APPENDS = st.builds(
    Append,
    run_id=RUNS,
    worker=WORKERS,
    fence=st.sampled_from([0, 0, 0, 0, -1]),
    expected=st.sampled_from([0, 0, 0, 0, 1]),
    at=TIMES,
    events=some(EVENTS),
    eat=some(st.integers(1, 5)),
    seen=st.integers(0, 6),
    next_timer=maybe(TIMES),
    add_tasks=some(NEW_TASKS),
    drop_tasks=some(STEPS),
    open_tokens=some(NEW_TOKENS),
    close_tokens=some(HOOKS),
    children=some(NEW_RUNS),
    letters=some(st.tuples(RUNS, LETTERS)),
    attributes=maybe(st.dictionaries(TEXT, maybe(TEXT), max_size=2)),
    bundle=maybe(TEXT.filter(bool)),
    release=st.booleans(),
    end=st.sampled_from([None, None, None, None, "completed", "failed"]),
    output=maybe(BYTES),
    error_code=maybe(TEXT),
)
FINISHES = st.builds(
    Finish,
    run_id=RUNS,
    step_id=STEPS,
    worker=WORKERS,
    attempt=ATTEMPTS,
    letter=maybe(LETTERS),
    run_at=TIMES,
    error=maybe(BYTES),
    uncount=st.booleans(),
)
CHUNKS = st.builds(
    ChunkWrite,
    run_id=RUNS,
    stream=STREAMS,
    step_id=STEPS,
    attempt=ATTEMPTS,
    worker=WORKERS,
    fence=maybe(st.integers(0, 2)),
    chunks=some(BYTES),
    close=st.sampled_from([False, False, True]),
    of=st.sampled_from([None, None, "a", "b"]),
    own=st.sampled_from([False, False, True]),
)
PARKED = st.builds(Parked, code=TEXT, reason=TEXT)
LEASES = st.builds(WorkerRecord, worker=WORKERS, lease_until=TIMES)


def call(method: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.tuples(st.just(method), *arguments)


APPEND = call("append", APPENDS)
CLAIM = call("claim_runs", WORKERS, st.integers(0, 3))
CALLS = st.one_of(
    call("create", NEW_RUNS),
    CLAIM,
    APPEND,
    APPEND,  # the heart of it
    call("post", RUNS, LETTERS),
    call("post_to_token", TOKENS, LETTERS_TO_TOKENS),
    call("load", RUNS, st.integers(0, 3), st.integers(0, 2)),
    call("park", RUNS, WORKERS, st.integers(0, 2), PARKED),
    call("unpark", RUNS, maybe(TEXT.filter(bool))),
    call("terminate", RUNS, EVENTS, BYTES, TEXT),
    call("claim_tasks", WORKERS, st.integers(0, 3), some(NAMES)),
    call("finish_tasks", some(FINISHES)),
    call("beat", LEASES),
    call("leave", WORKERS),
    call("write_chunks", CHUNKS),
    call("read_chunks", RUNS, STREAMS, st.integers(0, 3), st.integers(0, 3)),
    call("advance", st.integers(0, 5)),
)
HISTORIES = st.lists(CALLS, max_size=25).map(
    # Nothing happens in a world without runs, and little in one where nobody owns them.
    lambda calls: [
        ("create", NewRun(run_id="a", workflow="f", input=b"", meta=b"")),
        ("create", NewRun(run_id="b", workflow="f", input=b"", meta=b"", parent_run="a")),
        ("claim_runs", "ann", 2),
        *calls,
    ]
)


async def perform(world: World, method: str, arguments: tuple[Any, ...]) -> object:
    """Make a call; its answer, or the kind of its error."""
    keywords: dict[str, Any] = {}
    if method == "append":
        run = await world.get_run(arguments[0].run_id)
        fence, head = (0, 0) if run is None else (run.fence, run.head)
        asked = arguments[0]
        asked = replace(asked, fence=fence + asked.fence, expected=head + asked.expected)
        arguments = (asked,)
    elif method == "load":
        run_id, after, limit = arguments
        arguments, keywords = (run_id,), {"after": after, "limit": limit}
    elif method == "unpark":
        run_id, bundle = arguments
        arguments, keywords = (run_id,), {"bundle": bundle}
    try:
        return await getattr(world, method)(*arguments, **keywords)
    except WorkflowError as error:
        return type(error)


# After these a world has to look again, whatever it remembers.
NEWS = {"create", "post", "post_to_token", "finish_tasks", "unpark", "terminate"}


def without(answer: object, told: set[str]) -> object:
    """A claim's answer without the claimer's runs that it was told of before.

    A world may remember that nothing has happened since, and not tell it again.
    """
    if not isinstance(answer, Claimed):
        return answer
    return replace(answer, look=tuple(run for run in answer.look if run not in told))


async def contents(world: World) -> list[object]:
    """Everything that can be read."""
    seen: list[object] = [await world.list_runs(RunFilter()), await world.list_hooks()]
    first = await world.find_hooks(HookFilter(), limit=1)
    seen += [first, await world.find_hooks(HookFilter(run_id="b", webhook=True, prefix="t"))]
    if first.cursor is not None:
        seen.append(await world.find_hooks(HookFilter(), limit=1, cursor=first.cursor))
    for run_id in "abc":
        seen += [
            await world.get_run(run_id),
            await world.list_events(run_id),
            await world.list_letters(run_id),
            await world.list_tasks(run_id),
            await world.list_streams(run_id),
        ]
    return seen


async def compare(world: World, clock: VirtualClock, calls: list[tuple[Any, ...]]) -> None:
    oracle = MemoryWorld(clock)
    told: dict[str, set[str]] = {}
    await world.open()
    try:
        for method, *arguments in calls:
            if method == "advance":
                clock.advance(arguments[0])
                continue
            if method in NEWS:
                told.clear()
            expected = await perform(oracle, method, tuple(arguments))
            answer = await perform(world, method, tuple(arguments))
            if isinstance(expected, Claimed):
                mine = told.setdefault(arguments[0], set())
                assert without(answer, mine) == without(expected, mine), method
                mine.update(run.run_id for run in expected.runs)
            else:
                assert answer == expected, method
        assert await contents(world) == await contents(oracle)
    finally:
        await world.close()


THOROUGH = "WORKFLOW_TEST_THOROUGH" in os.environ


@settings(max_examples=1000 if THOROUGH else 60, derandomize=True)
@given(HISTORIES)
def test_sqlite_gives_the_same_answers(calls: list[tuple[Any, ...]]) -> None:
    """Both worlds answer every call alike and hold the same in the end."""
    clock = VirtualClock(START)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(compare(create_local_world(Path(folder), clock), clock, calls))


@settings(max_examples=1000 if THOROUGH else 25, derandomize=True)
@given(HISTORIES)
def test_postgres_gives_the_same_answers(calls: list[tuple[Any, ...]]) -> None:
    """Both worlds answer every call alike and hold the same in the end."""
    clock = VirtualClock(START)
    world = new_world(clock, schema="oracle")
    with world.database.connect() as connection:
        empty(connection, world.database.schema)
    asyncio.run(compare(world, clock, calls))
